/// Chains and maps of one program. For backends/nftables/emit.cpp.
#pragma once

#include "backends/nftables/nftables.h"

namespace polecat::backends {

void emit_program(const std::string& name, const ProgramImage& image, nft::Ruleset& out);

/// The marks that chains of L4 and source-port classes add, for the numbers in use.
void emit_class_chains(const NodeImage& image, nft::Ruleset& out);

/// Rules that several chains have.
nft::Rule counted_drop(std::vector<nft::Match> matches, std::string comment);
nft::Rule plain(std::vector<nft::Match> matches, std::vector<nft::Statement> statements);
nft::Statement jump(std::string chain);
nft::Statement go_to(std::string chain);
nft::Statement verdict(nft::Verdict::Kind kind);

} // namespace polecat::backends
