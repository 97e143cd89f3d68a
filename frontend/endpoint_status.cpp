#include "frontend/endpoint_status.h"

#include <algorithm>
#include <filesystem>

#include "frontend/kinds/fields.h"
#include "frontend/yaml/node.h"
#include "support/read_file.h"

namespace polecat::frontend {

namespace {

namespace fs = std::filesystem;

/// Calico takes the first address of each family.
std::optional<net::Address> first(Fields& fields, std::string_view key) {
    const auto nets = fields.strings(key);
    if (nets.empty())
        return std::nullopt;
    const auto cidr = net::parse_cidr(nets.front().value, net::CidrForm::OrAddress);
    if (!cidr)
        fields.diagnostics().report(diag::Code::SchemaValue, nets.front().span,
                                    {fields.path_of(key), "must be a CIDR"});
    return cidr ? net::parse_address(nets.front().value.substr(0, nets.front().value.find('/')))
                : std::nullopt;
}

} // namespace

std::vector<routing::EndpointStatus>
read_endpoint_status(const std::string& folder, Sources& sources, diag::Diagnostics& diagnostics) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
        if (entry.is_regular_file())
            files.push_back(entry.path());
    if (error)
        diagnostics.report(diag::Code::UnreadableFile, Span{}, {folder, error.message()});
    std::sort(files.begin(), files.end());
    std::vector<routing::EndpointStatus> out;
    for (const fs::path& path : files) {
        auto text = read_file(path.string());
        if (!text) {
            diagnostics.report(diag::Code::UnreadableFile, Span{}, {path.string(), text.error()});
            continue;
        }
        const FileId file = sources.add(path.string(), std::move(*text));
        for (const yaml::Document& document : yaml::read_documents(sources, file, diagnostics)) {
            Fields fields(&document.root, "", "endpoint status", diagnostics);
            fields.ignore_rest();
            const auto peer = fields.string("bgpPeerName");
            routing::EndpointStatus status{
                "", first(fields, "ipv4Nets"), first(fields, "ipv6Nets"), {}};
            if (!peer || peer->value.empty() || (!status.v4 && !status.v6))
                continue;
            status.peer = peer->value;
            status.span = peer->span;
            out.push_back(std::move(status));
        }
    }
    return out;
}

} // namespace polecat::frontend
