/// Clusters and mistakes as templates (the .yaml files beside this), and what makes manifests of
/// them: names, addresses, orders and the address family are drawn at random.
///
///   #: doc ID            a document of a base
///   #: include BASE      those of another base
///   #: seed SLUG...      a mistake, with what lint must say of it
///   #: base NAME...      the clusters that it is put into
///   #: family 4 6 46     the address families that it can be made in (default: all)
///   #: add               the document that follows is put in
///   #: here              the same, and the finding must point into it
///   #: edit ID | A => B  a document of the base says B for A
///   #: edit-here ID | A => B
///   #: mark ID           the finding must point into that document of the base, left as it is
///   #: drop ID           a document of the base goes
///   #: never DIRECTION N the rule N of the document marked `here` must decide no flow (by eval)
///   #: verdict deny|allow SOURCE DESTINATION PROTOCOL PORT   what eval must say afterwards
///
///   $(word)              a random name, the same all over one cluster; see Words for the special
///   ones
///   $<a|b>               one of these
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/random_cluster.h"

namespace polecat::testing {

struct Edit {
    std::string document, old_text, new_text;
    bool here = false, drop = false;
};

struct Document {
    std::string id, text;
    bool here = false;
};

struct Seed {
    std::vector<std::string> slugs, bases, families;
    std::vector<Document> added;
    std::vector<Edit> edits;
    std::vector<std::string> verdicts;
    std::vector<std::pair<std::string, std::size_t>> never;
};

std::vector<Seed> read_seeds(const std::string& file);
std::vector<Document> read_base(const std::string& name);

/// What placeholders stand for in one cluster.
class Words {
  public:
    Words(Random& random, std::string family);
    std::string expand(std::string text);

  private:
    std::string word(const std::string& name);
    std::string special(const std::string& name);
    std::string address(const std::string& kind, unsigned number, bool six) const;
    void choose(std::string& text);

    Random& random_;
    std::string family_;
    unsigned hall_;
    std::map<std::string, std::string> known_;
    std::vector<std::string> names_;
    std::vector<std::string> ports_;
};

} // namespace polecat::testing
