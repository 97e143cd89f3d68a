/// Manifests whose bundle is kept as they are: files that change are read again, the bundle's
/// folder gets the parts that change.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "driver/bundle/folder.h"
#include "driver/input/input.h"
#include "driver/watch/live_bundle.h"
#include "support/result.h"

namespace polecat::driver {

class Watched {
  public:
    /// `folder`: of the bundle.
    Watched(std::vector<std::string> paths, InputOptions options, std::string folder,
            std::string compiler, bundle::Base base = {})
        : paths_(std::move(paths)), options_(std::move(options)), folder_(std::move(folder)),
          compiler_(std::move(compiler)), base_(std::move(base)) {}

    struct Update {
        std::string whole; ///< why all was read or compiled; empty: it was not
        WrittenBundle written;
    };
    /// An error says what can't be written, after which nothing more is to be asked of it.
    Result<Update> read_all(std::string why);
    /// Files that changed, came or went. Others than manifests do not matter.
    Result<Update> update(const std::set<std::string>& files);

    /// Manifests have errors: the bundle stays as it is until they are mended.
    bool refused() const { return refused_; }
    /// What was last read as a whole.
    const Input& input() const { return refused_ ? *refused_input_ : *input_; }

  private:
    struct Alone;
    /// Whether it is, or would be, read with the input.
    bool is_of_input(const std::string& path) const;
    bool is_named(const std::string& path) const;
    bool is_spelt_otherwise(const std::string& path) const;
    bool files_stand_alone() const;
    void remember_files();
    std::optional<Alone> read_alone(const std::string& path, std::string text, Sources& sources);
    std::string find_change(const std::set<std::string>& files, ClusterChange& change);
    Result<Update> write(LiveBundle::Step step, bool first);

    std::vector<std::string> paths_;
    InputOptions options_;
    std::string folder_, compiler_;
    bundle::Base base_;
    std::unique_ptr<Input> input_, refused_input_;
    std::unique_ptr<LiveBundle> live_;
    std::map<std::string, FileId> files_; ///< those that were read last, by path
    std::set<std::string> places_;        ///< of those, however paths are spelt
    /// Some object stands twice, or a file has two paths: what goes with one is still there.
    bool has_doubles_ = false;
    bool refused_ = false;
};

} // namespace polecat::driver
