#include "ir/net/special.h"

#include <initializer_list>

namespace polecat::net {

namespace {

AddressSet set_of(std::initializer_list<const char*> cidrs) {
    std::vector<Cidr> list;
    for (const char* each : cidrs)
        list.push_back(*parse_cidr(each, CidrForm::Strict));
    return AddressSet::of(list);
}

} // namespace

const AddressSet& private_addresses() {
    static const AddressSet set =
        set_of({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"});
    return set;
}

const AddressSet& special_addresses() {
    static const AddressSet set =
        private_addresses() |
        set_of({"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24",
                "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "::/3",
                "4000::/2", "8000::/1", "2001:db8::/32"});
    return set;
}

const AddressSet& local_addresses() {
    static const AddressSet set =
        private_addresses() | set_of({"169.254.0.0/16", "127.0.0.0/8", "fe80::/10", "::1/128"});
    return set;
}

} // namespace polecat::net
