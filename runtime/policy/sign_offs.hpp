// Who has signed that a provider or a model may see which class of data, and what each class asks for
// (MECHANISMS B4, D10, E5). Pure.
#pragma once

#include <troupe/time.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::policy {

enum class Signed : std::uint8_t { provider, model, endpoint };
const char* to_string(Signed subject);

/// One signature, from the configuration: a document with an expiry belongs where changes are reviewed.
struct SignOff {
  Signed subject = Signed::provider;
  std::string name;
  /// "legal", "security", "fedramp": whatever the checklists ask for.
  std::string kind;
  /// The classes it covers; none: all.
  std::vector<std::string> data_classes;
  /// Worth nothing from then on; 0: never.
  WallTime expires;
  /// "legal:provider:aws": its name in an order that revokes it. Made by `add`.
  std::string key;
};

/// What a class of data asks for, the same of every provider (D10). A sign-off on the endpoint itself serves
/// in its provider's place.
struct Checklist {
  std::string data_class;
  std::vector<std::string> of_provider, of_model;
};

/// The item that is lacking. Valid as long as what it was asked of.
struct MissingSignOff {
  Signed of = Signed::provider;
  std::string_view name;
  /// Empty: the data class itself is unknown, so nothing may see it.
  std::string_view kind;
  /// When it ran out; 0: it was never given, covers other data, or was revoked.
  WallTime expired;
  bool revoked = false;
};
std::string to_text(const MissingSignOff& missing, std::string_view data_class);

/// The sign-offs of a configuration. Immutable after it was filled.
class SignOffs {
 public:
  void add(SignOff sign_off);
  void add(Checklist checklist);
  bool empty() const { return checklists_.empty(); }
  const std::vector<SignOff>& all() const { return sign_offs_; }
  const std::vector<Checklist>& checklists() const { return checklists_; }

  struct Question {
    std::string_view endpoint, provider, model, data_class;
  };
  /// `revoked(key)` says whether an order has revoked that sign-off. Allocates nothing.
  template <class Revoked>
  std::optional<MissingSignOff> missing(const Question& question, WallTime wall, Revoked&& revoked) const {
    if (question.data_class.empty()) return std::nullopt;
    const auto* list = find(question.data_class);
    if (list == nullptr) return MissingSignOff{Signed::provider, question.provider, {}, {}, false};
    for (const auto& kind : list->of_provider) {
      Search search{kind, question.data_class, wall};
      if (holds(search, Signed::provider, question.provider, revoked)) continue;
      if (holds(search, Signed::endpoint, question.endpoint, revoked)) continue;
      return lacking(search, Signed::provider, question.provider);
    }
    return missing_of_model(question, wall, revoked);
  }
  /// The items asked of the model alone: endpoint and provider do not matter.
  template <class Revoked>
  std::optional<MissingSignOff> missing_of_model(const Question& question, WallTime wall,
                                                 Revoked&& revoked) const {
    if (question.data_class.empty()) return std::nullopt;
    const auto* list = find(question.data_class);
    if (list == nullptr) return MissingSignOff{Signed::model, question.model, {}, {}, false};
    for (const auto& kind : list->of_model) {
      Search search{kind, question.data_class, wall};
      if (!holds(search, Signed::model, question.model, revoked))
        return lacking(search, Signed::model, question.model);
    }
    return std::nullopt;
  }

 private:
  struct Search {
    std::string_view kind, data_class;
    WallTime wall;
    WallTime expired;
    bool revoked = false;
  };
  const Checklist* find(std::string_view data_class) const;
  /// Does it cover the search but for its expiry?
  static bool fits(const SignOff& sign_off, const Search& search, Signed subject, std::string_view name);
  static MissingSignOff lacking(const Search& search, Signed of, std::string_view name) {
    return {of, name, search.kind, search.expired, search.revoked};
  }
  template <class Revoked>
  bool holds(Search& search, Signed subject, std::string_view name, Revoked& revoked) const {
    for (const auto& each : sign_offs_) {
      if (!fits(each, search, subject, name)) continue;
      if (each.expires.ms != 0 && each.expires <= search.wall)
        search.expired = each.expires;
      else if (revoked(std::string_view(each.key)))
        search.revoked = true;
      else
        return true;
    }
    return false;
  }

  std::vector<SignOff> sign_offs_;
  std::vector<Checklist> checklists_;
};

}  // namespace troupe::policy
