// Asking the documents again, and taking out what rests on those that changed.
#include "agents/research/standing.hpp"

#include "agents/research/citation.hpp"
#include "agents/research/evidence.hpp"
#include "agents/research/words.hpp"
#include "runtime/base/lines.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace troupe::research {
namespace {

constexpr std::string_view kAnswerLine = "**Answer:** ";
constexpr std::string_view kWithdrawn =
    "**Withdrawn.** What the answer rested on was deleted or changed since, or cannot be read any more.";

constexpr std::string_view kWithheld =
    "**Withdrawn.** A part of it rested on what was deleted or changed since.";

const Json& list_at(const Json& object, std::string_view key) {
  static const Json none = Json::array();
  const auto* list = find(object, key);
  return list != nullptr && list->is_array() ? *list : none;
}

Span span_of(const Json& citation) {
  auto place = [&](const char* key) {
    return static_cast<std::size_t>(std::max<std::int64_t>(get_int(citation, key), 0));
  };
  return {get_string(citation, "doc"), place("start"), place("end")};
}

/// The documents behind a result, each place asked for once.
class Standing {
 public:
  explicit Standing(const Rereader& now) : now_(now) {}

  bool stands(const Json& claim) {
    const auto& citations = list_at(claim, "citations");
    return !citations.empty() &&
           std::ranges::all_of(citations, [&](const Json& each) { return says_so(each); });
  }
  /// Titles and quotes of what these rest on.
  std::string behind(const Json& claims) {
    std::string out;
    for (const auto& claim : claims)
      for (const auto& citation : list_at(claim, "citations"))
        if (auto there = now_(span_of(citation))) out += there->title + " " + there->text + "\n";
    return out;
  }

 private:
  bool says_so(const Json& citation) const {
    auto span = span_of(citation);
    if (!is_given(span)) return true;
    auto there = now_(span);
    if (!there) return false;
    auto digest = get_string(citation, "digest"), title = get_string(citation, "title");
    return (digest.empty() || digest == digest_of(there->text)) &&
           (title.empty() || title == title_of(there->title));
  }

  const Rereader& now_;
};

// As it stands in the report; nothing when the result does not say where.
std::optional<std::string> printed_of(const Json& claim, std::string_view report) {
  const auto* at = find(claim, "at");
  if (at == nullptr) return std::nullopt;
  auto start = get_int(*at, "start", -1), end = get_int(*at, "end", -1);
  if (start < 0 || end <= start || static_cast<std::size_t>(end) > report.size()) return std::nullopt;
  return std::string(report.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)));
}

std::set<std::string> numbers_in(const Json& claims) {
  std::set<std::string> out;
  for (const auto& claim : claims)
    for (const auto& citation : list_at(claim, "citations"))
      out.insert(fmt::format("[{}]", get_int(citation, "number")));
  return out;
}

// The report's own sections: "[3] title" is a line of its sources when no claim that is left cites it.
std::string without_sources(std::string_view report, const std::set<std::string>& cited, bool answered) {
  std::string out;
  bool sources = false, told = answered;
  while (!report.empty()) {
    auto line = take_line(report);
    if (line.starts_with("## ")) sources = line == "## Sources";
    if (sources && line.starts_with('[') && !cited.contains(std::string(line.substr(0, line.find(']') + 1))))
      continue;
    bool answer = !std::exchange(told, told || line.starts_with(kAnswerLine)) && told;
    out += answer ? kWithdrawn : line;
    out += "\n";
  }
  return out;
}

struct Printed {
  std::vector<std::string> kept;
  std::string report;
};

// Claims are cut from the end on, so that the places of those before hold.
std::optional<Printed> cut_claims(std::string report, const Json& claims, const std::vector<bool>& kept) {
  Printed out;
  for (auto i = claims.size(); i-- > 0;) {
    auto printed = printed_of(claims[i], report);
    if (!printed) return std::nullopt;
    if (kept[i])
      out.kept.push_back(std::move(*printed));
    else
      report.erase(static_cast<std::size_t>(get_int(claims[i]["at"], "start")), printed->size());
  }
  std::ranges::reverse(out.kept);
  out.report = std::move(report);
  return out;
}

bool answer_stands(const Json& research, Standing& standing) {
  auto answer = get_string(research, "answer");
  auto behind = standing.behind(list_at(research, "claims"));
  return !word_set(answer).empty() && coverage(answer, behind) >= 1;
}

void tell(Json& research, std::size_t gone) {
  auto note = fmt::format(
      "{} statements were taken out: what they rest on was deleted or changed since, or cannot be "
      "read any more",
      gone);
  research["withdrawn"] = get_int(research, "withdrawn") + static_cast<std::int64_t>(gone);
  Json notes = list_at(research, "notes");
  auto& report = research["report"].get_ref<std::string&>();
  report += (notes.empty() ? "\n## Notes\n\n- " : "- ") + note + "\n";
  notes.push_back(note);
  research["notes"] = std::move(notes);
}

}  // namespace

bool is_given(const Span& span) {
  // As tools::make_library_tools names what is in a configured corpus.
  return !span.doc.starts_with(kToolDocument) && !span.doc.starts_with("corpus:");
}

std::set<std::string> cited_documents(const Json& research) {
  std::set<std::string> out;
  for (const auto& claim : list_at(research, "claims"))
    for (const auto& citation : list_at(claim, "citations"))
      if (auto span = span_of(citation); is_given(span)) out.insert(std::move(span.doc));
  return out;
}

std::string digest_of(std::string_view quote) { return fmt::format("{:016x}", stable_hash(quote)); }

void place_claims(Json& research, const std::vector<std::string>& printed) {
  auto report = get_string(research, "report");
  std::size_t from = 0;
  for (std::size_t i = 0; i < printed.size(); ++i) {
    research["claims"][i].erase("at");
    auto at = report.find(printed[i], from);
    if (at == std::string::npos) continue;
    from = at + printed[i].size();
    research["claims"][i]["at"] = Json{{"start", at}, {"end", from}};
  }
}

Json still_stands(Json research, const Rereader& now) {
  Standing standing(now);
  const Json claims = list_at(research, "claims");
  std::vector<bool> kept;
  Json left = Json::array();
  for (const auto& claim : claims) {
    kept.push_back(standing.stands(claim));
    if (kept.back()) left.push_back(claim);
  }
  auto gone = claims.size() - left.size();
  if (gone == 0) return research;
  research["claims"] = std::move(left);
  bool answered = answer_stands(research, standing);
  if (!answered) research["answer"] = "", research["found"] = false;
  auto cut = cut_claims(get_string(research, "report"), claims, kept);
  if (cut)
    research["report"] =
        tidied_report(without_sources(cut->report, numbers_in(research["claims"]), answered)) + "\n";
  else
    research["report"] = std::string(answered ? kWithheld : kWithdrawn) + "\n",
    research["notes"] = Json::array();
  tell(research, gone);
  if (cut) place_claims(research, cut->kept);
  return research;
}

}  // namespace troupe::research
