/// Findings that were there when lint was adopted: known, not reported, and fewer with time.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "analyzer/lint/choice.h"
#include "support/diag/diagnostic.h"
#include "support/result.h"
#include "support/source.h"

namespace polecat::driver {

/// What a finding is, wherever its lines are: positions and the indices of lists are left out.
struct BaselineKey {
    std::string file; ///< relative to the baseline's folder; empty: of no file
    std::string code; ///< "PC4001"
    std::string object, message;
    auto operator<=>(const BaselineKey&) const = default;
};

class Baseline {
  public:
    /// Empty, of a file that is to be written.
    explicit Baseline(const std::string& path);
    /// Refuses what it does not know: other versions, keys and codes.
    static Result<Baseline> read(const std::string& path);

    /// Adds the findings that `choice` shows, but errors of reading.
    void add(const diag::Diagnostics& findings, const Sources& sources, const lint::Choice& choice);
    /// Takes known findings out and names entries that match nothing any more, which is only known
    /// when `loads`: every rule ran. Returns how many findings were taken out.
    std::size_t take(diag::Diagnostics& findings, const Sources& sources,
                     const lint::Choice& choice, bool loads) const;

    std::string text() const;               ///< as JSON
    std::size_t size() const;               ///< findings
    bool is(const std::string& path) const; ///< that file is this baseline

  private:
    BaselineKey key_of(const diag::Diagnostic& finding, const Sources& sources) const;
    bool may_be_gone(const BaselineKey& key, const std::set<std::string>& read,
                     const lint::Choice& choice) const;

    std::string path_, folder_; ///< without links
    std::map<BaselineKey, std::size_t> known_;
};

} // namespace polecat::driver
