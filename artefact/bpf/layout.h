/// Where things stand in the tables that the BPF classifier reads, for the compiler (C++) and for
/// the program (C). docs/bpf.md has the map. All zero means that nothing is allowed.
#pragma once

enum {
    kBpfMagic = 0x54424350, ///< "PCBT"
    kBpfVersion = 2,
    kBpfLineWords = 32,   ///< words of 32 bits in a line, the unit of everything
    kBpfPageEntries = 64, ///< a page is a line of numbers of 16 bits
    kBpfMostLines = 1 << 20,
};

/// Words of line 0. A place is the number of a line, 0 where there is none.
enum {
    kBpfHeadMagic,
    kBpfHeadVersion,
    kBpfHeadLines,
    kBpfHeadCounters, ///< cells of all programs
    kBpfHeadAddresses6,
    kBpfHeadAddresses6Count,
    kBpfHeadLocal6,
    kBpfHeadLocal6Count,
    kBpfHeadGroups,
    kBpfHeadGroupCount,
};

/// IPv4: 65,536 words by the first half of an address, then blocks of 256 by a byte each.
enum {
    kBpfTopLines = 65536 / kBpfLineWords,
    kBpfBlockLines = 256 / kBpfLineWords,
    kBpfAddresses4 = 1,                         ///< always here: identities
    kBpfLocal4 = kBpfAddresses4 + kBpfTopLines, ///< groups of the node's endpoints
};
#define kBpfIsBlock 0x80000000U ///< the rest is the line of a block
#define kBpfIsEnd 0x40000000U   ///< of the leaf of an endpoint's own address
#define kBpfLeaf 0x3fffffffU    ///< of a leaf: an identity's place and 1, or a group's line

/// IPv6: sorted starts of stretches. Words: the address, the first first; the leaf.
enum {
    kBpfStartWords = 8,
    kBpfStartLeaf = 4,
    kBpfStartBits = 20, ///< at most 2^20 of them
};

/// Words of a program's line. The first ones are what a verdict takes.
enum {
    kBpfProgramState,
    kBpfProgramLine, ///< its own
    kBpfProgramOwn,  ///< root of own classes by identity, each and 1; 0: all are of class 0
    kBpfProgramOwnCount,
    kBpfProgramOthers,    ///< a root for each own class: rows by identity
    kBpfProgramRootLines, ///< lines of such a root
    kBpfProgramProtocols, ///< 256 words
    kBpfProgramSourcePorts,
    kBpfProgramSourceShift, ///< bits of L4 classes, below those of source ports
    kBpfProgramRows,
    kBpfProgramCells,
    kBpfProgramCounter, ///< of its first cell
    kBpfVerdictWords = kBpfLineWords / 2,
    kBpfProgramKind = kBpfVerdictWords, ///< hook, direction from bit 8, family from bit 16
    kBpfProgramL4Count,
    kBpfProgramL4Other,
    kBpfProgramRowCount,
    kBpfProgramCellCount,
    kBpfProgramLogs, ///< slots that Log rules have, after each other
    kBpfProgramLogCount,
};

/// A group is a line: what a verdict takes of its program of egress, then of that of ingress.
enum { kBpfGroupEgress = 0, kBpfGroupIngress = kBpfVerdictWords };

enum { kBpfStateJudges = 1, kBpfStateClosed = 2 };

/// Protocols: a class, or the place of a root of classes by port (65,536 numbers). Listed ones are
/// those that the program's table has.
#define kBpfIsRoot 0x80000000U
#define kBpfIsListed 0x40000000U
#define kBpfProtocolValue 0x3fffffffU

/// Two words a row: the usual cell, and a root of cells by class of packets, or their only page.
enum { kBpfRowCell, kBpfRowRoot, kBpfRowWords };
#define kBpfIsPage 0x80000000U
/// Four words a cell.
enum { kBpfCellState, kBpfCellSlot, kBpfCellLog, kBpfCellLogCount, kBpfCellWords };
/// Of a row or a cell that there is.
#define kBpfThere 0x80000000U
/// Of a cell's state: NoMatch is 2, as in backends::Outcome.
#define kBpfOutcome 0x3U
#define kBpfStagedAllow 0x4U
enum { kBpfOutcomeDeny, kBpfOutcomeAllow, kBpfOutcomeNoMatch };
