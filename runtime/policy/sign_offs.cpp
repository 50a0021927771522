#include "runtime/policy/sign_offs.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::policy {

const char* to_string(Signed subject) {
  switch (subject) {
    case Signed::provider: return "provider";
    case Signed::model: return "model";
    case Signed::endpoint: return "endpoint";
  }
  return "?";
}

std::string to_text(const MissingSignOff& missing, std::string_view data_class) {
  if (missing.kind.empty()) return fmt::format("data class {} has no checklist", data_class);
  auto text = fmt::format("{} {} has no {} sign-off for {} data", to_string(missing.of), missing.name,
                          missing.kind, data_class);
  if (missing.revoked) return text + " (revoked)";
  if (missing.expired.ms != 0) return fmt::format("{} (expired {})", text, to_date(missing.expired));
  return text;
}

void SignOffs::add(SignOff sign_off) {
  sign_off.key = fmt::format("{}:{}:{}", sign_off.kind, to_string(sign_off.subject), sign_off.name);
  sign_offs_.push_back(std::move(sign_off));
}

void SignOffs::add(Checklist checklist) { checklists_.push_back(std::move(checklist)); }

const Checklist* SignOffs::find(std::string_view data_class) const {
  for (const auto& each : checklists_)
    if (each.data_class == data_class) return &each;
  return nullptr;
}

bool SignOffs::fits(const SignOff& sign_off, const Search& search, Signed subject, std::string_view name) {
  if (sign_off.subject != subject || sign_off.name != name || sign_off.kind != search.kind) return false;
  const auto& classes = sign_off.data_classes;
  return classes.empty() || std::find(classes.begin(), classes.end(), search.data_class) != classes.end();
}

}  // namespace troupe::policy
