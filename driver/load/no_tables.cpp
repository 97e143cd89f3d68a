// In place of tables.cpp where there is no libbpf to build with.
#include "driver/load/load.h"

namespace polecat::driver {

namespace {

const Error kLacksLibbpf{"this polecat was built without libbpf, which loads the BPF classifier"};

} // namespace

Result<Loaded> load_tables(const bpf::Image&, const bpf::Node&, const LoadOptions&) {
    return kLacksLibbpf;
}
Result<std::string> held_tables(const LoadOptions&) {
    return kLacksLibbpf;
}
Result<bool> enter_own_bpffs() {
    return kLacksLibbpf;
}

} // namespace polecat::driver
