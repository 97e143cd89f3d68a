// From a ruleset to the image it enforces. Decodes what varies, then demands that the rest is what
// emit() writes for that image.
#include <algorithm>
#include <bit>

#include "backends/nftables/layout.h"
#include "backends/nftables/nftables.h"
#include "backends/nftables/read_parts.h"

namespace polecat::backends {

using namespace layout;
using namespace reading;

namespace {

/// How flows that are denied are marked. Without a rule that does: as in a bundle.
struct FlowMark {
    nft::SetFlowMark set{~kVerdict, kRevoked, true};
    unsigned lowest = kFlowMarkBit; ///< of the bits that are ours
};

FlowMark flow_mark_of(const nft::Ruleset& ruleset) {
    if (const nft::Chain* deny = ruleset.find_chain("deny"))
        for (const nft::Rule& rule : deny->rules)
            for (const nft::Statement& statement : rule.statements)
                if (const auto* mark = std::get_if<nft::SetFlowMark>(&statement))
                    return {*mark, std::min(static_cast<unsigned>(std::countr_zero(~mark->keep)),
                                            kLastFlowMarkBit)};
    return {};
}

class Reader {
  public:
    explicit Reader(const nft::Ruleset& ruleset) : ruleset_(ruleset), slots_(slots_of(ruleset)) {}

    NodeImage run() {
        read_addresses();
        image_.flow_mark_bit = flow_mark_of(ruleset_).lowest;
        read_settings();
        read_dispatch();
        read_attached();
        for (auto& [name, program] : programs_) {
            read_program(ruleset_, name, program, image_);
            image_.programs.emplace(name, std::move(program));
        }
        return std::move(image_);
    }

  private:
    const nft::Map& map(const std::string& name) const { return map_of(ruleset_, name); }
    const nft::Chain& chain(const std::string& name) const { return chain_of(ruleset_, name); }

    void read_addresses() {
        for (const char* digit : {"4", "6"}) {
            for (const nft::Element& each : map(slots_.name(std::string("addr") + digit)).elements)
                image_.addresses[each.key.first] = identity_of(mark_of(each));
            for (const nft::Element& each : map(slots_.name(std::string("net") + digit)).elements)
                image_.outside[{each.key.first, each.key.last}] = identity_of(mark_of(each));
        }
    }

    void read_settings() {
        read_workloads();
        image_.drops_invalid =
            std::any_of(chain("forward").rules.begin(), chain("forward").rules.end(),
                        [](const nft::Rule& rule) { return rule.comment == "invalid"; });
        for (const nft::Rule& rule : chain("deny").rules)
            for (const nft::Statement& statement : rule.statements)
                if (const auto* verdict = std::get_if<nft::Verdict>(&statement))
                    image_.rejects = verdict->kind == nft::Verdict::Kind::Reject;
        const auto& host = chain("judge_host").rules;
        image_.to_host = policy::HostAction::Return;
        if (host.size() == 3)
            image_.to_host =
                host[2].comment.empty() ? policy::HostAction::Accept : policy::HostAction::Drop;
    }

    /// Whose interfaces are workloads', and what they must not send.
    void read_workloads() {
        image_.interface_prefixes.clear();
        if (chain("input").rules.empty())
            fail("chain input is empty");
        for (const nft::Match& match : chain("input").rules.front().matches)
            if (const auto* is = std::get_if<nft::InterfaceIs>(&match);
                is != nullptr && is->name.size() > 1)
                image_.interface_prefixes.push_back(is->name.substr(0, is->name.size() - 1));
        image_.dropped_vxlan_port.reset();
        image_.drops_ipip = false;
        for (const nft::Rule& rule : chain("encapsulation").rules)
            for (const nft::Match& match : rule.matches)
                if (const auto* port = std::get_if<nft::PortIs>(&match))
                    image_.dropped_vxlan_port = port->port;
                else
                    image_.drops_ipip = true;
    }

    void read_dispatch() {
        for (const char* digit : {"4", "6"})
            for (const nft::Element& each : map(slots_.name(std::string("pod") + digit)).elements)
                image_.dispatch.push_back({each.key.interface, each.key.first, mark_of(each)});
        std::sort(image_.dispatch.begin(), image_.dispatch.end());
        for (const char* name : {"range4", "range6"})
            if (const nft::Map* ranges = ruleset_.find_map(slots_.name(name)))
                for (const nft::Element& each : ranges->elements)
                    image_.other_sources.push_back(
                        {each.key.interface, {each.key.first, each.key.last}, mark_of(each)});
        std::sort(image_.other_sources.begin(), image_.other_sources.end());
        for (const nft::Element& each : map("from").elements)
            image_.groups[each.key.low].egress = target_of(each);
        for (const nft::Element& each : map("to").elements)
            image_.groups[each.key.low].ingress = target_of(each);
        for (const auto& [number, group] : image_.groups) {
            programs_[group.egress].direction = decision::Direction::Egress;
            programs_[group.ingress].direction = decision::Direction::Ingress;
        }
        for (const DispatchEntry& entry : image_.dispatch)
            if (!image_.groups.contains(entry.group))
                fail("an address has a group that is not there");
    }

    // --- host endpoints --------------------------------------------------------------------------

    void read_attached() {
        for (const Stage& stage : kStages)
            for (const net::Family family : {net::Family::V4, net::Family::V6})
                read_stage(stage, family);
        std::sort(image_.attached.begin(), image_.attached.end());
        if (image_.attached.empty())
            return;
        read_failsafes(chain(kHostIn.name), image_.failsafe_in);
        read_failsafes(chain(kHostOut.name), image_.failsafe_out);
        for (const char* name : {"peers4", "peers6"})
            if (const nft::Map* peers = ruleset_.find_map(name))
                for (const nft::Element& each : peers->elements)
                    image_.tunnels.peers.insert(each.key.first);
    }

    void read_stage(const Stage& stage, net::Family family) {
        if (const nft::Map* named = ruleset_.find_map(stage.map(family_digit(family).c_str())))
            for (const nft::Element& each : named->elements)
                attach(each.key.interface, stage, family, target_of(each));
        const nft::Chain* asked = ruleset_.find_chain(stage.name);
        if (asked == nullptr)
            return;
        for (const nft::Rule& rule : asked->rules) {
            const bool is_last =
                !rule.matches.empty() && rule.matches.back() == nft::Match{nft::FamilyIs{family}};
            if (!is_last || rule.statements.size() != 1)
                continue;
            if (const auto* to = std::get_if<nft::Verdict>(&rule.statements.front()))
                attach("*", stage, family, to->chain);
        }
    }

    void attach(const std::string& interface, const Stage& stage, net::Family family,
                const std::string& program) {
        image_.attached.push_back({interface, stage.hook, stage.direction, family, program});
        ProgramImage& image = programs_[program];
        image.hook = stage.hook;
        image.direction = stage.direction;
    }

    void read_failsafes(const nft::Chain& of, std::vector<NodeImage::FailsafePort>& into) {
        for (const nft::Rule& rule : of.rules) {
            const auto* port =
                rule.matches.empty() ? nullptr : std::get_if<nft::PortIs>(&rule.matches.front());
            if (rule.comment == kTunnelComment) {
                if (&into == &image_.failsafe_in)
                    read_tunnel(rule);
            } else if (port != nullptr) {
                NodeImage::FailsafePort& made =
                    into.emplace_back(NodeImage::FailsafePort{port->protocol, port->port, {}});
                if (rule.matches.size() > 1)
                    if (const auto* net = std::get_if<nft::AddressIs>(&rule.matches[1]))
                        made.net = net->cidr;
            }
        }
    }

    void read_tunnel(const nft::Rule& rule) {
        const nft::PortIs* port = nullptr;
        const nft::FamilyIs* family = nullptr;
        for (const nft::Match& each : rule.matches) {
            port = std::holds_alternative<nft::PortIs>(each) ? &std::get<nft::PortIs>(each) : port;
            family = std::holds_alternative<nft::FamilyIs>(each) ? &std::get<nft::FamilyIs>(each)
                                                                 : family;
        }
        if (port == nullptr)
            image_.tunnels.ipip = true;
        else if (family == nullptr)
            image_.tunnels.vxlan = port->port;
        else
            image_.tunnels.wireguard[family->family] = port->port;
    }

    const nft::Ruleset& ruleset_;
    Slots slots_;
    NodeImage image_;
    std::map<std::string, ProgramImage> programs_;
};

/// The kernel takes no key twice, and what it would then mean nobody knows.
void demand_single_keys(const nft::Ruleset& ruleset) {
    const auto overlap = [](const nft::Element& a, const nft::Element& b) {
        return a.key.interface == b.key.interface && b.key.first <= a.key.last &&
               b.key.low <= a.key.high;
    };
    for (const nft::Map& map : ruleset.maps)
        if (std::adjacent_find(map.elements.begin(), map.elements.end(), overlap) !=
            map.elements.end())
            fail("map " + map.name + " has a key twice");
}

std::string difference(const nft::Ruleset& expected, const nft::Ruleset& found) {
    for (const nft::Map& map : expected.maps)
        if (const nft::Map* other = found.find_map(map.name); other == nullptr || *other != map)
            return "map " + map.name;
    for (const nft::Chain& chain : expected.chains)
        if (const nft::Chain* other = found.find_chain(chain.name);
            other == nullptr || !(*other == chain))
            return "chain " + chain.name;
    return "something that is not ours";
}

} // namespace

Slots slots_of(const nft::Ruleset& ruleset) {
    Slots out;
    for (const char* map : kSlots)
        if (ruleset.find_map(std::string(map) + "_b") != nullptr)
            out.flip(map);
    return out;
}

std::optional<Generation> generation_of(const nft::Ruleset& ruleset) {
    const FlowMark mark = flow_mark_of(ruleset);
    return mark.set.generation ? std::nullopt
                               : std::optional(Generation{static_cast<std::uint16_t>(
                                     mark.set.bits >> mark.lowest & kGeneration >> kFlowMarkBit)});
}

Result<NodeImage> read_back(const nft::Ruleset& ruleset) {
    try {
        demand_single_keys(ruleset);
        NodeImage image = Reader(ruleset).run();
        nft::Ruleset expected = emit(image, slots_of(ruleset));
        if (const auto generation = generation_of(ruleset))
            expected =
                nft::with_generation(std::move(expected), generation->bits(image.flow_mark_bit));
        if (expected == ruleset)
            return image;
        return Error{difference(expected, ruleset) + " is not as written"};
    } catch (const Failure& failure) {
        return Error{failure.message};
    }
}

} // namespace polecat::backends
