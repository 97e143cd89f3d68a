/// Parts of a ruleset. For backends/nftables/emit*.cpp.
#pragma once

#include "backends/nftables/nftables.h"

namespace polecat::backends {

/// Chains and maps of all programs, and the words that chains of L4 and source-port classes add.
void emit_programs(const NodeImage& image, nft::Ruleset& out);
/// The hooks of host endpoints; nothing on nodes without.
void emit_host(const NodeImage& image, nft::Ruleset& out);

// --- rules that several chains have --------------------------------------------------------------

nft::Rule counted_drop(std::vector<nft::Match> matches, std::string comment);
nft::Rule plain(std::vector<nft::Match> matches, std::vector<nft::Statement> statements);
nft::Statement jump(std::string chain);
nft::Statement go_to(std::string chain);
nft::Statement verdict(nft::Verdict::Kind kind);
nft::Map& add_map(nft::Ruleset& to, std::string name, nft::KeyType key, nft::Map::Kind kind,
                  bool interval = false);
void add_chain(nft::Ruleset& to, std::string name, std::vector<nft::Rule> rules,
               std::string hook = {}, int priority = 0);

/// The flow was judged by this generation, and is in this state (0, or kRevoked).
nft::Match flow_is(std::uint32_t state);
nft::Rule remember(std::uint32_t state);
nft::Match state_is(unsigned bit);
inline constexpr unsigned kInvalid = 1, kEstablished = 2, kRelated = 4, kUntracked = 64;
inline const std::vector<std::uint8_t> kErrors4{3, 4, 11, 12}, kErrors6{1, 2, 3, 4};
/// Asks the chain, and gives the packet its own priority back.
void add_judging(std::vector<nft::Rule>& to, const char* chain);
/// The interface is none of a workload.
void add_not_workload(std::vector<nft::Match>& to, const NodeImage& image, bool incoming);

} // namespace polecat::backends
