#include "runtime/iptables.h"

#include "runtime/process.h"

namespace polecat::runtime {

namespace {

Result<std::string> run_of(const std::vector<std::string>& arguments, const std::string& input) {
    auto output = run_program(arguments, input);
    if (!output)
        return Error{output.error()};
    if (output->exit_code != 0)
        return Error{arguments.front() + " refused: " + output->error};
    return std::move(output->out);
}

Result<bool> done(const Result<std::string>& output) {
    if (!output)
        return Error{output.error()};
    return true;
}

} // namespace

std::string iptables_program(Iptables variant, net::Family family, const char* what) {
    return std::string(family == net::Family::V4 ? "iptables-" : "ip6tables-") +
           (variant == Iptables::Nft ? "nft-" : "legacy-") + what;
}

Result<bool> ipset_restore(const std::string& text) {
    return done(run_of({"ipset", "restore"}, text));
}

Result<std::string> ipset_save() {
    return run_of({"ipset", "save"}, "");
}

Result<bool> iptables_restore(Iptables variant, net::Family family, const std::string& text) {
    return done(run_of({iptables_program(variant, family, "restore"), "--noflush"}, text));
}

Result<std::string> iptables_save(Iptables variant, net::Family family) {
    return run_of({iptables_program(variant, family, "save")}, "");
}

} // namespace polecat::runtime
