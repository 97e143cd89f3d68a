#include "ir/decision/program.h"

namespace polecat::decision {

std::string_view to_string(Hook hook) {
    switch (hook) {
    case Hook::Normal:
        return "normal";
    case Hook::Forward:
        return "forward";
    case Hook::PreDnat:
        return "preDNAT";
    case Hook::Untracked:
        return "untracked";
    }
    return "normal";
}

std::string_view to_string(Direction direction) {
    return direction == Direction::Ingress ? "ingress" : "egress";
}

} // namespace polecat::decision
