/// polecat-conformance DIR [SUITE...] [--format json] [-v]: judges every suite below DIR and fails
/// when one is below its floor (docs/conformance.md).
#include <cstdio>
#include <span>

#include "tests/conformance/runner/judge.h"

int main(int argc, char** argv) {
    polecat::conformance::Asked asked;
    const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
    bool known = true;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const std::string word = arguments[i];
        if (word == "-v" || word == "--verbose")
            asked.verbose = true;
        else if (word == "--format" && i + 1 < arguments.size() &&
                 (arguments[i + 1] == std::string("json") ||
                  arguments[i + 1] == std::string("text")))
            asked.json = arguments[++i] == std::string("json");
        else if (word.starts_with('-'))
            known = false;
        else if (asked.dir.empty())
            asked.dir = word;
        else
            asked.suites.push_back(word);
    }
    if (!known || asked.dir.empty()) {
        std::fputs("usage: polecat-conformance DIR [SUITE...] [--format text|json] [-v]\n", stderr);
        return 2;
    }
    return judge(asked);
}
