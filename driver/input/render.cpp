#include "driver/input/render.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "driver/input/render_reason.h"
#include "driver/lint/config.h"
#include "frontend/unrendered.h"
#include "runtime/process.h"

namespace polecat::driver {

namespace {

namespace fs = std::filesystem;
using frontend::File;
using frontend::RenderFolder;

/// No plugins, no cluster, no other network than what a proxy of nowhere gives.
const runtime::Confinement kConfinement{
    std::chrono::seconds(60),
    {"HELM_NO_PLUGINS=1", "HELM_PLUGINS=/nonexistent", "KUBECONFIG=/nonexistent",
     "KUSTOMIZE_PLUGIN_HOME=/nonexistent", "GIT_ALLOW_PROTOCOL=none", "GIT_TERMINAL_PROMPT=0",
     "HTTP_PROXY=http://127.0.0.1:9", "HTTPS_PROXY=http://127.0.0.1:9",
     "ALL_PROXY=http://127.0.0.1:9", "NO_PROXY="}};

/// helm's name of a release: that of the chart's folder, as most people have it.
std::string release_of(const std::string& folder) {
    constexpr std::size_t kMost = 53;
    std::error_code error;
    const std::string name = fs::weakly_canonical(folder, error).filename().string();
    const bool good =
        !name.empty() && name.size() <= kMost &&
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos &&
        name.front() != '-' && name.back() != '-';
    return good ? name : "release";
}

using Command = std::vector<std::string>;

/// The commands that do it, the first that is installed counts.
std::vector<Command> commands_for(const RenderFolder& folder, const InputOptions& options,
                                  const std::vector<std::string>& values) {
    // "./": a folder is neither an option nor the name of a repository.
    fs::path path =
        options.folder.empty() ? fs::path(folder.folder) : fs::path(options.folder) / folder.folder;
    const std::string place = path.is_absolute() ? path.string() : "./" + path.string();
    if (folder.tool == RenderFolder::Tool::Kustomize)
        return {{"kustomize", "build", place}, {"kubectl", "kustomize", place}};
    Command helm{"helm", "template", release_of(place), place};
    for (const std::string& each : values)
        helm.insert(helm.end(), {"--values", each});
    if (!options.space.empty())
        helm.insert(helm.end(), {"--namespace", options.space});
    return {helm};
}

/// What the program printed.
Result<std::string> run(const std::vector<Command>& commands) {
    std::string why;
    for (const Command& each : commands) {
        const auto output = runtime::run_program(each, "", kConfinement);
        if (output && output->exit_code == 0)
            return output->out;
        if (output)
            return Error{each[0] + " says: " + reason_in(output->error)};
        why += (why.empty() ? "" : "; ") + output.error();
    }
    return Error{why};
}

/// Of all, two at a time: most of the time is their start.
std::vector<Result<std::string>> run(const std::vector<std::vector<Command>>& all) {
    std::vector<Result<std::string>> out(all.size(), Error{"not run"});
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t i = next++; i < all.size(); i = next++)
            out[i] = run(all[i]);
    };
    const std::jthread other(work);
    work();
    return out;
}

std::string folder_key(const std::string& path) {
    const std::string out = fs::path(path).lexically_normal().generic_string();
    return out.size() > 1 && out.back() == '/' ? out.substr(0, out.size() - 1) : out;
}

class Rendering {
  public:
    Rendering(std::vector<File>& files, const InputOptions& options,
              std::vector<std::string> values)
        : files_(files), options_(options), values_(std::move(values)),
          layout_(frontend::layout_of(files)) {
        for (std::size_t i = 0; i < files.size(); ++i)
            by_path_.emplace(folder_key(files[i].path), i);
        for (std::size_t i = 0; i < layout_.folders.size(); ++i)
            if (layout_.folders[i].tool == RenderFolder::Tool::Kustomize) {
                by_folder_.emplace(folder_key(layout_.folders[i].folder), i);
                for (const std::string& each : layout_.folders[i].resources)
                    used_.insert(folder_key(each));
            }
    }

    RenderRun run_all() {
        std::vector<const RenderFolder*> folders;
        std::vector<std::vector<Command>> commands;
        for (const RenderFolder& each : layout_.folders)
            if (!used_.contains(folder_key(each.folder)) && !each.is_component && !is_empty(each)) {
                folders.push_back(&each);
                commands.push_back(commands_for(each, options_, values_));
            }
        const auto texts = run(commands);
        for (std::size_t i = 0; i < folders.size(); ++i)
            if (texts[i])
                add(*folders[i], *texts[i]);
            else
                add_failure(*folders[i], texts[i].error());
        for (File& each : made_)
            files_.push_back(std::move(each));
        return std::move(out_);
    }

  private:
    /// kustomize refuses one that says nothing.
    static bool is_empty(const RenderFolder& folder) {
        return folder.tool == RenderFolder::Tool::Kustomize && folder.resources.empty() &&
               folder.changes.empty();
    }

    void add_failure(const RenderFolder& folder, const std::string& why) {
        for (RenderRun::Failure& each : out_.failures)
            if (kind_of_reason(each.why) == kind_of_reason(why))
                return each.folders.push_back(folder.folder);
        out_.failures.push_back({folder.file, {folder.folder}, why});
    }

    void add(const RenderFolder& folder, const std::string& text) {
        const bool chart = folder.tool == RenderFolder::Tool::Helm;
        File made;
        made.path = folder.folder + (chart ? " (helm template)" : " (kustomize build)");
        made.text = text;
        made.revision = files_[folder.file].revision;
        made.use = File::Use::Rendered;
        made_.push_back(std::move(made));
        out_.rendered = true;
        if (chart)
            take_below(folder.folder);
        else
            take(folder);
    }

    /// All of a chart is a source of what helm made.
    void take_below(const std::string& folder) {
        const std::string prefix = folder == "." ? "" : folder_key(folder) + "/";
        for (File& each : files_)
            if (folder_key(each.path).starts_with(prefix) && !each.named)
                each.use = File::Use::Source;
    }

    void take(const RenderFolder& folder) {
        File& own = files_[folder.file];
        if (own.use == File::Use::Source)
            return; // another kustomization builds from it as well
        own.use = File::Use::Source;
        for (const auto* paths : {&folder.resources, &folder.parts})
            for (const std::string& path : *paths) {
                if (const auto file = by_path_.find(folder_key(path)); file != by_path_.end())
                    files_[file->second].use = File::Use::Source;
                if (const auto of = by_folder_.find(folder_key(path)); of != by_folder_.end())
                    take(layout_.folders[of->second]);
            }
    }

    std::vector<File>& files_;
    const InputOptions& options_;
    std::vector<std::string> values_;
    const frontend::Layout layout_;
    std::map<std::string, std::size_t> by_path_, by_folder_;
    std::set<std::string> used_; ///< folders that a kustomization builds from
    std::vector<File> made_;
    RenderRun out_;
};

} // namespace

namespace {

LintConfig config_of(const InputOptions& options) {
    Sources sources;
    diag::Diagnostics reported_by_lint;
    return read_lint_config(options.config, sources, reported_by_lint);
}

} // namespace

bool wants_rendering(const InputOptions& options) {
    return options.render || config_of(options).render;
}

RenderRun render(std::vector<File>& files, const InputOptions& options) {
    const LintConfig config = config_of(options);
    if (!options.render && !config.render)
        return {};
    return Rendering(files, options, options.values.empty() ? config.values : options.values)
        .run_all();
}

} // namespace polecat::driver
