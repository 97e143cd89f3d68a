/// Who runs the programs of a bundle that stays loaded: programs, their slots and their predicates
/// are there as long as an endpoint needs them.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "artefact/bundle/bundle.h"
#include "backends/bundle/pack.h"

namespace polecat::driver {

class LivePrograms {
  public:
    /// `pinned`: programs that are there whoever runs them. `contents` must outlive it.
    LivePrograms(bundle::Contents& contents, std::map<bundle::ContentId, std::string> said,
                 const std::set<bundle::ContentId>& pinned);

    /// Of the contents: each is there because a program asks it.
    bool ask_all_predicates() const { return asking_.size() == contents_.predicates.size(); }

    /// How many endpoints more run what, by name.
    struct Uses {
        std::map<bundle::ContentId, int> programs, slots;
        void add(const bundle::GroupRecord& group, int endpoints);
    };
    /// Of those that then nobody runs.
    std::set<bundle::ContentId> gone_programs(const Uses& uses) const;
    /// Whether endpoints other than those that `uses` takes away have these slots.
    bool others_have(const bundle::ContentId& slots, const Uses& taken) const;
    /// Predicates of the contents that no program asks any more when these go and those come.
    std::set<std::uint32_t> gone_predicates(const std::set<bundle::ContentId>& gone,
                                            const std::set<std::uint32_t>& asked) const;

    /// A program that comes; its predicates have their numbers.
    void add(const bundle::ContentId& id, bundle::ProgramRecord record, const std::string& said);
    /// Takes programs and slots that nobody has any more out of the contents.
    void use(const Uses& uses, bundle::Touched& touched);
    /// An address of an endpoint comes to have the identity, or (-1) ceases to.
    void run(const bundle::GroupRecord& group, net::Family family, std::uint32_t identity,
             int times);
    /// Of one that may send from any address.
    void run_anywhere(const bundle::GroupRecord& group, int times);
    /// Writes down which identities run what.
    void finish(bundle::Touched& touched);

  private:
    struct Program {
        int endpoints = 0, anywhere = 0;
        bool pinned = false;
        std::map<std::uint32_t, int> identities; ///< of how many addresses
        std::string said;
    };
    static std::set<std::uint32_t> asked_by(const decision::Program& program);
    void set_own(const bundle::ContentId& id, bundle::Touched& touched);

    bundle::Contents& contents_;
    std::map<bundle::ContentId, Program> programs_;
    std::map<bundle::ContentId, int> slots_;
    std::map<std::string, std::set<bundle::ContentId>> by_said_;
    std::map<std::uint32_t, std::size_t> asking_; ///< programs that ask a predicate
    std::set<std::string> changed_;               ///< what is said of programs that others now run
};

} // namespace polecat::driver
