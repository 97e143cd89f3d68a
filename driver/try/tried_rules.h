/// The rules that `polecat try` loads, of any target.
#pragma once

#include <memory>
#include <string>

#include "driver/compile/compilation.h"
#include "driver/load/load.h"
#include "support/result.h"

namespace polecat::driver {

class TriedRules {
  public:
    virtual ~TriedRules() = default;
    /// Into the kernel, in the namespaces that this process is in.
    virtual Result<bool> load() = 0;
    /// Why what the kernel lists is not what was loaded; empty: it is.
    virtual std::string difference() const = 0;
    /// Programs and more that loading takes.
    virtual std::string needs() const = 0;
};

/// `target` as `compile --target` names it. What it can't do is reported; nothing then. `image`
/// must outlive it.
std::unique_ptr<TriedRules> tried_rules(const std::string& target, const LoadOptions& options,
                                        Compilation& compiled, const std::string& node,
                                        const backends::NodeImage& image,
                                        diag::Diagnostics& diagnostics);

} // namespace polecat::driver
