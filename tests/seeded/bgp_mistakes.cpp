#include "bgp_clusters.h"

namespace polecat::testing {

namespace {

/// In one of the objects that hold `words`, the first of `old` that is there becomes `now`.
BgpMistake replaced(std::string name, std::vector<std::string> words, std::string old,
                    std::vector<std::string> now) {
    words.push_back(old);
    return {std::move(name), [=](BgpCluster& in, Random& random) -> std::optional<std::size_t> {
                const auto places = in.with(words);
                if (places.empty())
                    return std::nullopt;
                const std::size_t place = random.pick(places);
                std::string& text = in.objects[place];
                text.replace(text.find(old), old.size(), random.pick(now));
                return place;
            }};
}

/// The object is gone; what stood there is an empty document.
BgpMistake removed(std::string name, std::vector<std::string> words) {
    return {std::move(name), [=](BgpCluster& in, Random& random) -> std::optional<std::size_t> {
                const auto places = in.with(words);
                if (places.empty())
                    return std::nullopt;
                const std::size_t place = random.pick(places);
                in.objects[place] = "# gone";
                return place;
            }};
}

/// The object gets a field at the start of its spec.
BgpMistake given(std::string name, std::vector<std::string> words, std::vector<std::string> more) {
    return {std::move(name), [=](BgpCluster& in, Random& random) -> std::optional<std::size_t> {
                auto places = in.with(words);
                const std::string field = random.pick(more);
                const std::string key = field.substr(0, field.find(':') + 1);
                std::erase_if(places, [&](std::size_t each) {
                    return in.objects[each].find(key) != std::string::npos;
                });
                if (places.empty())
                    return std::nullopt;
                const std::size_t place = random.pick(places);
                std::string& text = in.objects[place];
                text.insert(text.find("spec: {") + 7, field + ", ");
                return place;
            }};
}

} // namespace

std::vector<BgpMistake> bgp_mistakes() {
    const std::string peer = "kind: BGPPeer", filter = "kind: BGPFilter", pool = "kind: IPPool",
                      config = "kind: BGPConfiguration", node = "kind: Node,";
    const std::string key = "password: {secretKeyRef: {name: bgp, key: ";
    return {
        // BGPPeer: who
        replaced("AS number of a router", {peer, "peerIP"}, "asNumber: 650",
                 {"asNumber: 651", "asNumber: 649"}),
        replaced("AS number of a node", {peer, "peerIP"}, "asNumber: 64512",
                 {"asNumber: 64513", "asNumber: 65001"}),
        replaced("address off by one", {peer}, ".254,", {".255,", ".244,", ".25,"}),
        replaced("address off by one", {peer}, "peerIP: 10.9.1.9,",
                 {"peerIP: 10.9.1.8,", "peerIP: 10.9.9.1,"}),
        replaced("address off by one", {peer}, "peerIP: 10.9.1.25",
                 {"peerIP: 10.9.2.25", "peerIP: 10.9.11.25"}),
        replaced("address with another text", {peer}, "peerIP: 10.9.1.9,",
                 {"peerIP: 10.9.1.9:1790,"}),
        replaced("another port", {peer}, ".254,", {".254:1179,", ".254:180,"}),
        replaced("wrong node selector", {peer}, "nodeSelector: rack == 'r1'",
                 {"nodeSelector: rack == 'r2'", "nodeSelector: rack == 'r11'",
                  "nodeSelector: rack != 'r1'"}),
        replaced("wrong node selector", {peer}, "nodeSelector: has(reflector)",
                 {"nodeSelector: has(reflectors)", "nodeSelector: '!has(reflector)'",
                  "nodeSelector: all()"}),
        replaced("wrong node selector", {peer}, "nodeSelector: '!has(reflector)'",
                 {"nodeSelector: has(client)", "nodeSelector: rack == 'r2'"}),
        replaced("wrong node", {peer}, "node: n11", {"node: n12", "node: n1", "node: n77"}),
        replaced("peerSelector selects nobody", {peer}, "peerSelector: has(reflector)",
                 {"peerSelector: has(refelctor)", "peerSelector: rack == 'r7'"}),
        replaced("peerSelector selects everybody", {peer}, "peerSelector: has(reflector)",
                 {"peerSelector: all()", "peerSelector: '!has(reflector)'"}),
        removed("BGPPeer is missing", {peer}),
        // BGPPeer: how
        given("reversePeering by hand", {peer, "10.9.1.9,"}, {"reversePeering: Manual"}),
        given("reversePeering by hand", {peer, "'!has(reflector)'"}, {"reversePeering: Manual"}),
        given("TTL security on one side", {peer, "asNumber"}, {"ttlSecurity: 1", "ttlSecurity: 3"}),
        given("own AS number", {peer, "peerIP"}, {"localASNumber: 64999", "localASNumber: 65001"}),
        given("own AS number", {peer, "peerSelector"}, {"localASNumber: 64999"}),
        replaced("key of the password is missing", {peer, key}, "key: fabric",
                 {"key: fabrics", "key: Fabric"}),
        replaced("Secret of the password is missing", {peer, key}, "{name: bgp,",
                 {"{name: bgp-peers,"}),
        replaced("another password", {peer, key}, "key: nodes", {"key: fabric"}),
        replaced("no password", {peer}, ", password: {secretKeyRef: {name: bgp, key: nodes}}",
                 {""}),
        replaced("no password", {peer}, ", password: {secretKeyRef: {name: bgp, key: fabric}}",
                 {""}),
        replaced("next hop", {peer}, "keepOriginalNextHop: true",
                 {"keepOriginalNextHop: false", "nextHopMode: Self"}),
        replaced("next hop", {peer}, "nextHopMode: Self",
                 {"nextHopMode: Keep", "nextHopMode: Auto"}),
        given("next hop", {peer, "asNumber"}, {"nextHopMode: Keep", "nextHopMode: Self"}),
        given("next hop", {peer, "peerSelector"}, {"keepOriginalNextHop: true"}),
        replaced("own AS not allowed", {peer}, "numAllowedLocalASNumbers: 1",
                 {"numAllowedLocalASNumbers: 0"}),
        given("own AS allowed", {peer, "asNumber: 650"}, {"numAllowedLocalASNumbers: 2"}),
        replaced("source address", {peer}, "sourceAddress: UseNodeIP", {"sourceAddress: None"}),
        given("source address", {peer, "peerSelector"}, {"sourceAddress: None"}),
        given("timers", {peer, "peerIP"}, {"keepaliveTime: 5s", "maxRestartTime: 10s"}),
        replaced("no filter", {peer}, "filters: [out]", {"filters: []"}),
        replaced("filter that is not there", {peer}, "filters: [out]",
                 {"filters: [outbound]", "filters: [Out]"}),
        // BGPFilter
        replaced("action swapped", {filter}, "action: Accept, cidr: 10.64.0.0/16",
                 {"action: Reject, cidr: 10.64.0.0/16"}),
        replaced("action swapped", {filter}, "action: Reject, cidr: 10.64.0.0/16",
                 {"action: Accept, cidr: 10.64.0.0/16"}),
        replaced("action swapped", {filter}, "{action: Reject}]", {"{action: Accept}]"}),
        replaced("action swapped", {filter}, "{action: Accept}]", {"{action: Reject}]"}),
        replaced("action swapped", {filter}, "Accept, cidr: 10.96", {"Reject, cidr: 10.96"}),
        replaced("CIDR of a filter", {filter}, "Accept, cidr: 10.64.0.0/16",
                 {"Accept, cidr: 10.46.0.0/16", "Accept, cidr: 10.64.0.0/24"}),
        replaced("CIDR of a filter", {filter}, "Reject, cidr: 10.64.0.0/16",
                 {"Reject, cidr: 10.46.0.0/16", "Reject, cidr: 10.0.0.0/8"}),
        replaced("CIDR of a filter", {filter}, "cidr: 10.96.0.0/16",
                 {"cidr: 10.96.0.0/12", "cidr: 10.69.0.0/16"}),
        replaced("operator of a filter", {filter}, "matchOperator: In",
                 {"matchOperator: NotIn", "matchOperator: Equal"}),
        replaced("operator of a filter", {filter}, "matchOperator: Equal",
                 {"matchOperator: NotEqual"}),
        replaced("prefix lengths", {filter}, "max: 32", {"max: 25"}),
        replaced("prefix lengths", {filter}, "{min: 27}", {"{min: 17}", "{min: 30}"}),
        replaced("direction swapped", {filter}, "importV4", {"importV6"}),
        replaced("community", {filter}, "value: '64512:1", {"value: '64521:1", "value: '64512:2"}),
        replaced("community that is none", {filter},
                 "value: '64512:", {"value: '64512", "value: '645120:"}),
        replaced("rule only for iBGP", {filter}, "{action: Accept, cidr: 203.0.113.0/28",
                 {"{peerType: iBGP, action: Accept, cidr: 203.0.113.0/28"}),
        replaced("rule of one interface", {filter}, "{action: Accept, cidr: 10.64",
                 {"{interface: eth9, action: Accept, cidr: 10.64"}),
        removed("BGPFilter is missing", {filter}),
        // IPPool
        replaced("CIDR of the pool", {pool}, "cidr: 10.64.0.0/16",
                 {"cidr: 10.65.0.0/16", "cidr: 10.64.0.0/17", "cidr: 10.64.0.0/24"}),
        given("pool not exported", {pool}, {"disableBGPExport: true"}),
        replaced("encapsulation", {pool}, "vxlanMode: Never",
                 {"vxlanMode: Always", "vxlanMode: CrossSubnet"}),
        replaced("encapsulation", {pool}, "ipipMode: Never", {"ipipMode: Always"}),
        removed("IPPool is missing", {pool}),
        // BGPConfiguration
        replaced("mesh switched", {config}, "nodeToNodeMeshEnabled: false",
                 {"nodeToNodeMeshEnabled: true"}),
        replaced("mesh switched", {config}, "nodeToNodeMeshEnabled: true",
                 {"nodeToNodeMeshEnabled: false"}),
        replaced("AS number of the cluster", {config}, "asNumber: 64512",
                 {"asNumber: 64521", "asNumber: 65001"}),
        replaced("serviceClusterIPs", {config}, "cidr: 10.96.0.0/16",
                 {"cidr: 10.69.0.0/16", "cidr: 10.96.0.0/12", "cidr: 10.64.0.0/16"}),
        replaced("serviceExternalIPs", {config}, "cidr: 203.0.113.0/28",
                 {"cidr: 203.0.113.16/28", "cidr: 203.0.131.0/28"}),
        replaced("community that is not defined", {config}, "communities: [rack]",
                 {"communities: [racks]"}),
        replaced("community of prefixes", {config}, "value: '64512:7'",
                 {"value: '64512:8'", "value: '64512:77'"}),
        replaced("prefix of communities", {config}, "{cidr: 10.64.0.0/16, comm",
                 {"{cidr: 10.46.0.0/16, comm"}),
        replaced("mesh password", {config}, "key: nodes", {"key: node", "key: fabric"}),
        given("port of BGP", {config}, {"listenPort: 1790"}),
        given("address to listen on", {config}, {"bindMode: NodeIP"}),
        given("who writes routes", {config},
              {"programClusterRoutes: Disabled", "programClusterRoutes: EnabledIPIPOnly"}),
        given("priority", {config}, {"ipv4NormalRoutePriority: 100"}),
        given("interfaces", {config}, {"ignoredInterfaces: [eth0]"}),
        replaced("name of BGPConfiguration", {config}, "name: default",
                 {"name: defaults", "name: node.n11"}),
        removed("BGPConfiguration is missing", {config}),
        // Node
        replaced("AS number of a Node", {node}, "asNumber: 65101",
                 {"asNumber: 65102", "asNumber: 65111"}),
        replaced("AS number of a Node", {node}, "/24}", {"/24, asNumber: 64513}"}),
        replaced("AS number of a Node is missing", {node}, ", asNumber: 65102", {""}),
        replaced("cluster ID is missing", {node}, ", routeReflectorClusterID: 244.0.0.1", {""}),
        replaced("cluster ID is another", {node}, "routeReflectorClusterID: 244.0.0.1",
                 {"routeReflectorClusterID: 244.0.0.2"}),
        replaced("cluster ID is missing", {node}, ", routeReflectorClusterID: 244.0.0.9", {""}),
        given("cluster ID too many", {node, "name: n12"},
              {"bgp: {ipv4Address: 10.9.1.2/24, routeReflectorClusterID: 244.0.0.7}"}),
        replaced("address of a Node", {node}, "10.9.1.1/24",
                 {"10.9.1.11/24", "10.9.1.2/24", "10.9.2.1/24"}),
        replaced("network of a Node", {node}, "10.9.1.2/24", {"10.9.1.2/16", "10.9.1.2/32"}),
        replaced("label of a Node", {node, "asNumber: 6510"}, "rack: r1",
                 {"rack: r2", "rack: R1", "rak: r1"}),
        replaced("label of a Node", {node}, ", reflector: x", {"", ", reflektor: x"}),
        replaced("service exclusion", {node}, "rack: r1",
                 {"rack: r1, node.kubernetes.io/exclude-from-external-load-balancers: 'true'"}),
        removed("Node is missing", {node}),
        // the rest
        replaced("Secret in another namespace", {"kind: Secret"}, "namespace: kube-system",
                 {"namespace: default"}),
        replaced("key of the Secret", {"kind: Secret"}, "fabric: aaaa", {"fabrics: aaaa"}),
        removed("Secret is missing", {"kind: Secret"}),
        replaced("block of another node", {"kind: BlockAffinity"}, "node: n11",
                 {"node: n12", "node: n7"}),
        replaced("state of a block", {"kind: BlockAffinity"}, "state: confirmed",
                 {"state: pending"}),
        replaced("external address of a Service", {"kind: Service,"}, "203.0.113.5",
                 {"203.0.113.55", "203.0.131.5"}),
        replaced("AS number in the inventory", {"kind: FabricInventory"}, "asNumber: 65001",
                 {"asNumber: 65010"}),
        replaced("AS number of nodes in the inventory", {"kind: FabricInventory"},
                 "nodeASNumber: 64512", {"nodeASNumber: 64521"}),
        replaced("AS number of nodes in the inventory", {"kind: FabricInventory"},
                 "nodeASNumber: 65101", {"nodeASNumber: 65102"}),
        replaced("address in the inventory", {"kind: FabricInventory"}, "254, asNumber: 65001",
                 {"245, asNumber: 65001"}),
    };
}

} // namespace polecat::testing
