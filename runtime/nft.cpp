#include "runtime/nft.h"

#include "runtime/process.h"

namespace polecat::runtime {

namespace {

Result<std::string> nft(const std::vector<std::string>& arguments, const std::string& input) {
    std::vector<std::string> all{"nft"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    auto output = run_program(all, input);
    if (!output)
        return Error{output.error()};
    if (output->exit_code != 0)
        return Error{"nft refused: " + output->error};
    return std::move(output->out);
}

} // namespace

Result<bool> nft_load(const std::string& text, std::optional<std::uint32_t> generation) {
    std::vector<std::string> arguments{"-f", "-"};
    if (generation)
        arguments.insert(arguments.begin(), {"-D", "generation=" + std::to_string(*generation)});
    const auto output = nft(arguments, text);
    if (!output)
        return Error{output.error()};
    return true;
}

Result<bool> nft_has_table(const std::string& table) {
    const auto listed = nft({"list", "tables", "inet"}, "");
    if (!listed)
        return Error{listed.error()};
    return ("\n" + *listed).find("\ntable inet " + table + "\n") != std::string::npos;
}

Result<std::string> nft_list_all() {
    return nft({"-nn", "list", "ruleset"}, "");
}

Result<std::string> nft_list(const std::string& table) {
    return nft({"-nn", "list", "table", "inet", table}, "");
}

Result<std::string> nft_list_set(const std::string& table, const std::string& set) {
    return nft({"-nn", "list", "set", "ip", table, set}, "");
}

} // namespace polecat::runtime
