// The classifier: one packet's verdict from the tables that polecat makes of a policy
// (artefact/bpf/layout.h, docs/bpf.md). iptables asks it (-m bpf --object-pinned): 1 is yes.
//
// Whatever is not in the tables is 0, and 0 is no. Features of kernel 5.8; nothing in here knows of
// a policy, so that it is compiled once.
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "artefact/bpf/layout.h"

char program_license[] SEC("license") = "GPL";

struct line {
    __u32 words[kBpfLineWords];
};

/// Two halves, of which one is in use. Whoever loads it makes each half one element, where the kernel
/// has elements so large; else each line is one.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 2);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct line));
} tables SEC(".maps");

/// Of one half. The verifier knows them, and leaves out of a program whatever is not for the form of
/// tables that they say.
struct sizes {
    __u32 last_word; ///< of a half that is one element; else 0
    __u32 lines, counters;
};
const volatile struct sizes sizes = {};

/// The generation word, of which whoever loads tables keeps more.
struct in_use {
    __u32 half;
    __u32 zero; ///< that the verifier does not know to be 0
    __u32 unfinished;
    __u32 object[2]; ///< digest of this program's file
};
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct in_use);
} generation SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, __u64);
} counters SEC(".maps");

/// What is denied, for whoever listens; lost when nobody does.
struct denied {
    __u32 program, cell, slot; ///< the program by the number of its line
    __u8 version, protocol;
    __u16 source_port, value;
    __u16 unused;
    __u32 source[4], destination[4]; ///< IPv4 in the first word
};
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 16);
} events SEC(".maps");

struct address {
    __u32 words[4];
};

struct packet {
    const __u32 *half; ///< that is one element
    __u32 base;        ///< or its first line
    __u32 counter, zero;
    struct address source, destination;
    __u8 version, protocol;
    __u8 has_transport;
    __u16 first, second; ///< the transport's first four bytes
};

/// What is checked before is not used before it, as the compiler might have it.
#define KEEP_ORDER(value) asm volatile("" : "+r"(value))

/// That many words (a power of two, and as many after a line's start); 0: there are none.
static __always_inline const __u32 *words_at(const struct packet *p, __u32 line, __u32 index,
                                             __u32 count)
{
    __u32 last = sizes.last_word;
    if (last) {
        __u32 place = line * kBpfLineWords + index;
        if (place > last - (count - 1))
            return 0;
        return p->half + place;
    }
    __u32 key = p->base + line + index / kBpfLineWords;
    const struct line *found = bpf_map_lookup_elem(&tables, &key);
    if (!found)
        return 0;
    KEEP_ORDER(found);
    return &found->words[index % kBpfLineWords & ~(count - 1)];
}

static __always_inline __u32 word(const struct packet *p, __u32 line, __u32 index)
{
    const __u32 *found = words_at(p, line, index, 1);
    return found ? *found : 0;
}

static __always_inline __u32 in_page(const struct packet *p, __u32 page, __u32 index)
{
    return word(p, page, index % kBpfPageEntries / 2) >> index % 2 * 16 & 0xffff;
}

/// Of the pages of a root.
static __always_inline __u32 in_root(const struct packet *p, __u32 root, __u32 index)
{
    __u32 page = word(p, root, index / kBpfPageEntries);
    return page ? in_page(p, page, index) : 0;
}

// --- packets -------------------------------------------------------------------------------------

static __always_inline int read_transport(struct __sk_buff *skb, struct packet *p, __u32 offset)
{
    __be16 ports[2];
    if (bpf_skb_load_bytes(skb, offset, ports, sizeof ports) == 0) {
        p->first = bpf_ntohs(ports[0]);
        p->second = bpf_ntohs(ports[1]);
        p->has_transport = 1;
    } else if (bpf_skb_load_bytes(skb, offset, ports, sizeof ports[0]) == 0) {
        p->first = bpf_ntohs(ports[0]); // ICMP's type and code
        p->has_transport = p->protocol == 1 || p->protocol == 58;
    }
    return 1;
}

/// Of both versions: an IPv4 header without options, and the ports behind it.
struct start {
    __u32 words[6];
};

static __always_inline int read_v4(struct __sk_buff *skb, struct packet *p,
                                   const struct start *start, int whole)
{
    const __u8 *header = (const __u8 *)start;
    __u32 length = (header[0] & 15) * 4;
    if (length < 20)
        return 0;
    p->protocol = header[9];
    p->source.words[0] = bpf_ntohl(start->words[3]);
    p->destination.words[0] = bpf_ntohl(start->words[4]);
    if ((header[6] & 0x1f) != 0 || header[7] != 0)
        return 1; // conntrack puts fragments together; what is none of its own has no ports
    if (length != 20 || !whole)
        return read_transport(skb, p, length);
    p->first = bpf_ntohl(start->words[5]) >> 16;
    p->second = bpf_ntohl(start->words[5]) & 0xffff;
    p->has_transport = 1;
    return 1;
}

/// As ipv6_find_hdr() of the kernel walks them.
static __always_inline int read_v6(struct __sk_buff *skb, struct packet *p)
{
    __u32 header[10];
    if (bpf_skb_load_bytes(skb, 0, header, sizeof header))
        return 0;
    for (int i = 0; i < 4; ++i) {
        p->source.words[i] = bpf_ntohl(header[2 + i]);
        p->destination.words[i] = bpf_ntohl(header[6 + i]);
    }
    __u8 next = ((__u8 *)header)[6];
    __u32 offset = 40;
    for (int i = 0; i < 8; ++i) {
        __u8 extension[4];
        if (next != 0 && next != 43 && next != 44 && next != 51 && next != 60) {
            p->protocol = next;
            return next == 59 || read_transport(skb, p, offset);
        }
        if (bpf_skb_load_bytes(skb, offset, extension, sizeof extension))
            return 0;
        if (next == 44 && (extension[2] != 0 || (extension[3] & 0xf8) != 0)) {
            p->protocol = extension[0]; // not the first of its fragments
            return 1;
        }
        offset += next == 44 ? 8 : next == 51 ? (extension[1] + 2) * 4 : (extension[1] + 1) * 8;
        next = extension[0];
    }
    return 0;
}

static __always_inline int read_packet(struct __sk_buff *skb, struct packet *p)
{
    __u32 zero = 0;
    struct start start;
    const struct in_use *half = bpf_map_lookup_elem(&generation, &zero);
    int whole = bpf_skb_load_bytes(skb, 0, &start, sizeof start) == 0;
    if (!half || (!whole && bpf_skb_load_bytes(skb, 0, &start, 20)))
        return 0;
    __u32 which = half->half;
    p->base = which * sizes.lines;
    p->counter = which * sizes.counters;
    if (sizes.last_word) {
        p->half = bpf_map_lookup_elem(&tables, &which);
        if (!p->half)
            return 0;
    }
    p->zero = half->zero;
    p->version = *(const __u8 *)&start >> 4;
    if (p->version == 4)
        return read_v4(skb, p, &start, whole);
    return p->version == 6 && read_v6(skb, p);
}

// --- addresses -----------------------------------------------------------------------------------

static __always_inline __u32 leaf4(const struct packet *p, __u32 top, __u32 address)
{
    __u32 found = word(p, top, address >> 16);
    if (found & kBpfIsBlock)
        found = word(p, found & ~kBpfIsBlock, address >> 8 & 0xff);
    if (found & kBpfIsBlock)
        found = word(p, found & ~kBpfIsBlock, address & 0xff);
    return found & kBpfIsBlock ? 0 : found & kBpfLeaf;
}

static __always_inline int begins_after(const __u32 *start, const struct address *address)
{
    for (int i = 0; i < 3; ++i)
        if (start[i] != address->words[i])
            return start[i] > address->words[i];
    return start[3] > address->words[3];
}

/// The last of the sorted starts that is not behind the address, bit by bit. Begun from a 0 that the
/// verifier knew, it would walk every way through the loop.
static __noinline __u32 leaf6(const struct packet *p, __u32 first, __u32 count,
                              const struct address *address)
{
    if (!p || !address)
        return 0;
    __u32 found = p->zero, leaf = 0;
    for (__u32 step = 1U << (kBpfStartBits - 1); step != 0; step >>= 1) {
        __u32 tried = found + step;
        if (tried >= count)
            continue;
        const __u32 *start = words_at(p, first, tried * kBpfStartWords, kBpfStartWords);
        if (!start)
            return 0;
        if (begins_after(start, address))
            continue;
        found = tried;
        leaf = start[kBpfStartLeaf];
    }
    // What is before the second start belongs to the first.
    return (found ? leaf : word(p, first, kBpfStartLeaf)) & kBpfLeaf;
}

static __always_inline __u32 leaf_of(const struct packet *p, int local,
                                     const struct address *address)
{
    if (p->version == 4)
        return leaf4(p, local ? kBpfLocal4 : kBpfAddresses4, address->words[0]);
    return leaf6(p, word(p, 0, local ? kBpfHeadLocal6 : kBpfHeadAddresses6),
                 word(p, 0, local ? kBpfHeadLocal6Count : kBpfHeadAddresses6Count), address);
}

// --- a program -----------------------------------------------------------------------------------

static __always_inline int has_ports(__u8 protocol)
{
    return protocol == 6 || protocol == 17 || protocol == 132;
}

/// The request that an ICMP message answers: types and codes as they stand in requests.
static __always_inline int request_of(__u8 protocol, __u16 *type_and_code)
{
    __u8 type = *type_and_code >> 8;
    if (protocol == 1 && type == 0)
        type = 8;
    else if (protocol == 1 && type == 14)
        type = 13;
    else if (protocol == 58 && type == 129)
        type = 128;
    else
        return 0;
    *type_and_code = (type << 8) | (*type_and_code & 0xff);
    return 1;
}

/// The class of what a packet shows beside its addresses; -1: it lacks what is asked.
static __always_inline int packet_class(const struct packet *p, const __u32 *program,
                                        int reply)
{
    __u32 l4 = word(p, program[kBpfProgramProtocols], p->protocol), source = 0;
    int ports = has_ports(p->protocol);
    if (l4 & kBpfIsRoot) {
        __u16 value = ports && !reply ? p->second : p->first;
        if (!p->has_transport || (!ports && reply && !request_of(p->protocol, &value)))
            return -1;
        l4 = in_root(p, l4 & kBpfProtocolValue, value);
    }
    if (program[kBpfProgramSourcePorts]) {
        if (ports && !p->has_transport)
            return -1;
        source = in_root(p, program[kBpfProgramSourcePorts],
                         !ports ? 0 : reply ? p->second : p->first);
    }
    return (source << (program[kBpfProgramSourceShift] & 31)) | (l4 & 0xffff);
}

/// The number of the cell; -1: there is none.
static __always_inline int cell_of(const struct packet *p, const __u32 *program,
                                   int own_is_source, int reply)
{
    __u32 other = leaf_of(p, 0, own_is_source ? &p->destination : &p->source);
    if (program[kBpfProgramState] != kBpfStateJudges || !other)
        return -1;
    __u32 class = 0;
    if (program[kBpfProgramOwn]) {
        __u32 own = leaf_of(p, 0, own_is_source ? &p->source : &p->destination);
        class = own ? in_root(p, program[kBpfProgramOwn], own - 1) : 0;
        if (!class)
            return -1;
        --class;
    }
    if (class >= program[kBpfProgramOwnCount])
        return -1;
    __u32 root = program[kBpfProgramOthers] + class * program[kBpfProgramRootLines];
    const __u32 *row = words_at(p, program[kBpfProgramRows],
                                in_root(p, root, other - 1) * kBpfRowWords, kBpfRowWords);
    int packet = packet_class(p, program, reply);
    if (packet < 0 || !row || !(row[kBpfRowCell] & kBpfThere))
        return -1;
    __u32 exceptions = row[kBpfRowRoot];
    if (!exceptions)
        return row[kBpfRowCell] & 0xffff;
    return exceptions & kBpfIsPage ? in_page(p, exceptions & ~kBpfIsPage, packet)
                                   : in_root(p, exceptions, packet);
}

static __always_inline void count(__u32 counter)
{
    __u64 *found = bpf_map_lookup_elem(&counters, &counter);
    if (found)
        ++*found;
}

static __always_inline void tell_denied(const struct packet *p, __u32 program, __u32 cell,
                                        __u32 slot)
{
    struct denied *event = bpf_ringbuf_reserve(&events, sizeof *event, 0);
    if (!event)
        return;
    event->program = program;
    event->cell = cell;
    event->slot = slot;
    event->version = p->version;
    event->protocol = p->protocol;
    event->source_port = p->first;
    event->value = p->second;
    event->unused = 0;
    for (int i = 0; i < 4; ++i) {
        event->source[i] = p->source.words[i];
        event->destination[i] = p->destination.words[i];
    }
    bpf_ringbuf_submit(event, 0);
}

enum question { kAllowed, kLogged };

/// `own_is_source`: the endpoint that sent it is asked. `reply`: by the program of the other
/// direction, ends and ports swapped, as it judged what this answers.
static __always_inline int judge(struct __sk_buff *skb, int own_is_source, int reply,
                                 enum question question)
{
    struct packet p = {};
    if (!read_packet(skb, &p))
        return 0;
    __u32 group = leaf_of(&p, 1, own_is_source ? &p.source : &p.destination);
    if (!group)
        return 0;
    int egress = own_is_source != reply;
    const __u32 *program =
        words_at(&p, group, egress ? kBpfGroupEgress : kBpfGroupIngress, kBpfVerdictWords);
    if (!program)
        return 0;
    int number = cell_of(&p, program, own_is_source, reply);
    if (number < 0)
        return 0;
    const __u32 *cell =
        words_at(&p, program[kBpfProgramCells], number * kBpfCellWords, kBpfCellWords);
    if (!cell || !(cell[kBpfCellState] & kBpfThere))
        return 0;
    if (question == kLogged)
        return cell[kBpfCellLogCount] != 0;
    count(p.counter + program[kBpfProgramCounter] + number);
    if ((cell[kBpfCellState] & kBpfOutcome) == kBpfOutcomeAllow)
        return 1;
    tell_denied(&p, program[kBpfProgramLine], number, cell[kBpfCellSlot]);
    return 0;
}

SEC("socket") int from(struct __sk_buff *skb)
{
    return judge(skb, 1, 0, kAllowed);
}
SEC("socket") int to(struct __sk_buff *skb)
{
    return judge(skb, 0, 0, kAllowed);
}
SEC("socket") int from_r(struct __sk_buff *skb)
{
    return judge(skb, 0, 1, kAllowed);
}
SEC("socket") int to_r(struct __sk_buff *skb)
{
    return judge(skb, 1, 1, kAllowed);
}
SEC("socket") int from_logs(struct __sk_buff *skb)
{
    return judge(skb, 1, 0, kLogged);
}
SEC("socket") int to_logs(struct __sk_buff *skb)
{
    return judge(skb, 0, 0, kLogged);
}
SEC("socket") int from_r_logs(struct __sk_buff *skb)
{
    return judge(skb, 0, 1, kLogged);
}
SEC("socket") int to_r_logs(struct __sk_buff *skb)
{
    return judge(skb, 1, 1, kLogged);
}
/// What asking costs, to measure the others by.
SEC("socket") int yes(struct __sk_buff *skb)
{
    return 1;
}
