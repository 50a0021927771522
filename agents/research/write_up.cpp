// From findings to a report of which every claim holds.
#include "agents/research/inert.hpp"
#include "agents/research/lead.hpp"
#include "agents/research/prompts.hpp"
#include "agents/research/resolving.hpp"
#include "runtime/base/characters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::research {
namespace {

constexpr int kCitationTriesMax = 3;
constexpr std::size_t kReportMax = 200'000;
constexpr double kAnswerHeld = 0.6;
// A claim the critic rejects stays if the sources hold this much of it: critics err, too.
constexpr double kSurelyHeld = 0.95;

bool not_worth_failing(Errc code) {
  return code == Errc::invalid_input || code == Errc::refused || code == Errc::content_filtered ||
         code == Errc::context_length_exceeded;
}

// What nobody could write: the findings as they are, one a line.
Json report_by_rule(const Leading& lead) {
  std::string report;
  for (const auto& finding : lead.findings) report += "- " + one_line(finding.quote, 600) + "\n";
  return Json{{"found", false}, {"answer", ""}, {"report", report}};
}

Task<Result<Json>> ask_for_report(Leading& lead) {
  if (lead.findings.empty()) co_return Json{{"found", false}, {"answer", ""}, {"report", ""}};
  auto request = report_request(lead.input, lead.plan, lead.findings);
  StepKey key{"report", request_hash(request)};
  auto asking = complete_json(lead.wf, key, std::move(request));
  auto answer = co_await asking;
  if (answer) {
    lead.add(*answer);
    Spend alone;
    alone.add(answer->answers.back());
    lead.tokens_of_report = alone.input + alone.output + alone.cached;
    co_return parse_json(answer->value.text);
  }
  if (!not_worth_failing(answer.error().code)) co_return std::unexpected(answer.error());
  lead.note(fmt::format("the report was put together by rule: {}", to_string(answer.error().code)));
  co_return report_by_rule(lead);
}

std::string everything_found(const Leading& lead) {
  std::string out;
  for (const auto& finding : lead.findings) out += finding.title + " " + finding.quote + "\n";
  return out;
}

std::size_t remove_rejected(const Leading& lead, const Json& verdicts, std::vector<Claim>& claims) {
  std::set<std::size_t> rejected;
  const auto* list = find(verdicts, "verdicts");
  if (list == nullptr) return 0;
  for (const auto& verdict : *list) {
    auto number = get_int(verdict, "claim");
    if (!get_bool(verdict, "supported", true) && number > 0)
      rejected.insert(static_cast<std::size_t>(number));
  }
  auto all = everything_found(lead);
  std::vector<Claim> kept;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    bool out = rejected.contains(i + 1) && support(claims[i].text, all) < kSurelyHeld;
    if (!out) kept.push_back(claims[i]);
  }
  auto removed = claims.size() - kept.size();
  claims = std::move(kept);
  return removed;
}

// The report without the sentences that are no claims any more.
std::string without_claims(const std::string& report, std::span<const Claim> before,
                           std::span<const Claim> kept) {
  std::vector<Claim> marked(before.begin(), before.end());
  for (auto& claim : marked) {
    bool stays = std::ranges::any_of(kept, [&](const Claim& other) { return other.at == claim.at; });
    if (stays) claim.cited = {1};
  }
  std::string out;
  std::size_t done = 0;
  for (const auto& claim : marked) {
    out += report.substr(done, claim.at.start - done);
    if (!claim.cited.empty()) out += claim.text;
    done = claim.at.end;
  }
  return out + report.substr(done);
}

Task<Result<std::string>> criticised(Leading& lead, std::string report, Outcome& out) {
  auto before = claims_of(report);
  if (!lead.input.critic || before.empty()) co_return report;
  std::vector<std::string> texts;
  for (const auto& claim : before) texts.push_back(claim.text);
  auto request = critique_request(lead.input, texts, lead.findings);
  StepKey key{"critique", request_hash(request)};
  auto asking = complete_json(lead.wf, key, std::move(request), 1);
  auto answer = co_await asking;
  if (!answer) {
    if (!not_worth_failing(answer.error().code)) co_return std::unexpected(answer.error());
    lead.note(fmt::format("no critic: {}", to_string(answer.error().code)));
    co_return report;
  }
  lead.add(*answer);
  auto json = parse_json(answer->value.text);
  if (!json) co_return report;
  auto kept = before;
  out.removed_by_critic = remove_rejected(lead, *json, kept);
  if (out.removed_by_critic == 0) co_return report;
  co_return without_claims(report, before, kept);
}

// The pass, again while its report is another one; no marks when it never is the same (the rule cites then).
Task<Result<std::vector<Mark>>> ask_for_marks(Leading& lead, const std::string& report, Outcome& out) {
  std::string complaint;
  for (int i = 1; i <= kCitationTriesMax; ++i) {
    auto request = citations_request(lead.input, report, lead.findings, complaint);
    StepKey key{"cite", fmt::format("{}/{}", request_hash(request), i)};
    ++out.citation_tries;
    auto asking = complete_json(lead.wf, key, std::move(request), 0);
    auto answer = co_await asking;
    if (!answer && !not_worth_failing(answer.error().code)) co_return std::unexpected(answer.error());
    if (!answer) {
      complaint = "it had not the asked shape";
      if (answer.error().code == Errc::refused) break;
      continue;
    }
    lead.add(*answer);
    auto json = parse_json(answer->value.text);
    auto marks = json ? read_marks(report, get_string(*json, "report")) : read_marks(report, "");
    if (marks) co_return std::move(*marks);
    complaint = marks.error().what;
  }
  out.cited_by = "rule";
  lead.note("citations were attached by rule: the pass changed the report");
  co_return std::vector<Mark>{};
}

Task<Result<bool>> resolves(Leading& lead, const Finding& finding) {
  auto tool = lead.tools.find(std::string(kVerifyTool));
  // What a tool without documents said is a recorded artefact of the agent that read it.
  if (!tool || finding.span.doc.starts_with(kToolDocument)) co_return !finding.artefact.empty();
  auto opening = still_says(lead.wf, std::move(tool), finding.span, finding.quote);
  auto there = co_await opening;
  ++lead.spend.tool_calls;
  if (there) co_return there;
  // A quote nobody could look up again may be gone, changed, or closed to who asks: it counts as that.
  lead.note(fmt::format("a cited source could not be opened again: {}", to_string(there.error().code)));
  co_return false;
}

// Citations whose bytes are not there (any more, or for this reader) are taken back, and a claim that rests
// on one of them rests on nothing, whatever else it cites: what of its words came from where nobody can tell
// (J5).
Task<Result<void>> verify(Leading& lead, Outcome& out) {
  std::set<std::size_t> cited;
  for (const auto& claim : out.claims) cited.insert(claim.cited.begin(), claim.cited.end());
  for (auto number : cited) {
    auto resolving = resolves(lead, lead.findings[number - 1]);
    auto there = co_await resolving;
    if (!there) co_return std::unexpected(there.error());
    if (*there) continue;
    ++out.unresolved;
    for (auto& claim : out.claims)
      claim.withdrawn |= std::ranges::find(claim.cited, number) != claim.cited.end();
  }
  for (auto& claim : out.claims)
    if (claim.withdrawn) claim.cited.clear();
  if (out.unresolved > 0)
    lead.note(
        fmt::format("{} cited sources do not say any more, or not to you, what was read in them; what "
                    "rests on them was taken out",
                    out.unresolved));
  co_return Result<void>{};
}

bool yes_or_no(const std::string& answer) {
  auto words = word_set(answer);
  return words.size() <= 1 && (answer.starts_with("yes") || answer.starts_with("no") ||
                               answer.starts_with("Yes") || answer.starts_with("No"));
}

// An answer is found only if something cited says it.
void judge_answer(const Leading& lead, Outcome& out) {
  std::string cited;
  for (const auto& claim : out.claims) {
    for (auto number : claim.cited)
      cited += lead.findings[number - 1].title + " " + lead.findings[number - 1].quote + "\n";
  }
  if (!out.found) out.answer.clear();
  if (!out.found || (yes_or_no(out.answer) && !cited.empty())) return;
  auto held = word_set(out.answer).empty() ? (cited.find(out.answer) != std::string::npos ? 1.0 : 0.0)
                                           : coverage(out.answer, cited);
  // What else it says may be what a source said that has gone.
  auto enough = out.unresolved > 0 ? 1.0 : kAnswerHeld;
  out.answer_supported = !cited.empty() && !out.answer.empty() && held >= enough;
  if (out.answer_supported) return;
  out.found = false;
  out.answer.clear();
}

}  // namespace

Task<Result<Outcome>> write_up(Leading& lead) {
  Outcome out;
  auto asking = ask_for_report(lead);
  auto written = co_await asking;
  if (!written) co_return std::unexpected(written.error());
  out.found = get_bool(*written, "found");
  out.answer = one_line(get_string(*written, "answer"), 2000);
  // Before the critic and the citation pass, so that what they judge is what is printed, byte for byte.
  auto report = get_string(*written, "report");
  auto plain = to_valid_utf8(cut_to(std::string_view(report), kReportMax));
  auto checking = criticised(lead, inert_report(plain, lead.findings), out);
  auto checked = co_await checking;
  if (!checked) co_return std::unexpected(checked.error());
  out.claims = claims_of(*checked);
  std::vector<Mark> marks;
  if (!out.claims.empty()) {
    auto citing = ask_for_marks(lead, *checked, out);
    auto cited = co_await citing;
    if (!cited) co_return std::unexpected(cited.error());
    marks = std::move(*cited);
  }
  settle_citations(out.claims, marks, lead.findings, out.check);
  auto verifying = verify(lead, out);
  auto verified = co_await verifying;
  if (!verified) co_return std::unexpected(verified.error());
  judge_answer(lead, out);
  out.body = write_report(*checked, out.claims, lead.input.mark_unsupported);
  co_return out;
}

}  // namespace troupe::research
