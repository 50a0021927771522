#include "actors/verify_words.hpp"

#include "actors/run_entries.hpp"
#include "actors/run_snapshot.hpp"
#include "runtime/protocol/run_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::actors {
namespace {

bool same_money(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b)); }

bool same_amounts(Budget a, Budget b) {
  bool money = same_money(a.usd, b.usd);
  a.usd = b.usd = 0;
  return money && a == b;
}

std::string amounts(const Budget& budget) {
  auto text = budget_json(budget);
  return text.empty() ? "nothing" : text;
}

std::string note_in_words(const journal::Entry& entry) {
  auto note = read_note(entry.payload);
  if (!note) return " of a kind that is not known";
  if (const auto* said = std::get_if<StageNote>(&*note))
    return fmt::format(": the budget is at {}", to_string(said->stage));
  return fmt::format(": failed with {}", to_string(std::get<FailedNote>(*note).error.code));
}

std::string snapshot_in_words(const journal::Entry& entry) {
  auto note = read_snapshot(entry.payload);
  if (!note) return {};
  return fmt::format(" {} of {} bytes, {} signals wait, {} used", note->number, note->state.text.size(),
                     note->signals.size(), amounts(note->spent));
}

std::string decision_in_words(const journal::Entry& entry) {
  switch (entry.kind) {
    case journal::Kind::intent: {
      auto note = read_intent(entry.payload);
      if (!note) return {};
      return fmt::format(", sets aside {}{}", amounts(note->reserved),
                         note->cheaper ? ", asks the cheaper tier" : "");
    }
    case journal::Kind::child_start: {
      auto note = read_child(entry.payload);
      return note ? fmt::format(", run {}, slice {}", note->run_id, amounts(note->slice)) : std::string();
    }
    case journal::Kind::failure: {
      auto error = protocol::from_bytes<Error>(entry.payload);
      return error ? fmt::format(" with {}", to_string(error->code)) : std::string();
    }
    case journal::Kind::timer_set: return " for " + entry.payload;
    case journal::Kind::note: return note_in_words(entry);
    case journal::Kind::snapshot: return snapshot_in_words(entry);
    default: return {};
  }
}

// How many attempts a failed call took is not in the record.
bool same_snapshot(const std::string& recorded, const std::string& now) {
  auto was = read_snapshot(recorded), is = read_snapshot(now);
  return was && is && was->number == is->number && was->version == is->version && was->state == is->state &&
         was->started.ms == is->started.ms && was->signals == is->signals && was->refused == is->refused &&
         was->stage == is->stage && same_amounts(was->spent, is->spent);
}

}  // namespace

std::string entry_in_words(const journal::Entry& entry) {
  std::string out = to_string(entry.kind);
  if (!entry.step_key.empty()) out += " " + entry.step_key;
  if (entry.attempt > 1) out += fmt::format(", attempt {}", entry.attempt);
  return out + decision_in_words(entry);
}

bool same_payload(const journal::Entry& a, const journal::Entry& b) {
  if (a.payload == b.payload) return true;
  if (a.kind == journal::Kind::intent) {
    auto was = read_intent(a.payload), is = read_intent(b.payload);
    return was && is && was->of == is->of && was->cheaper == is->cheaper &&
           same_amounts(was->reserved, is->reserved);
  }
  if (a.kind == journal::Kind::child_start) {
    auto was = read_child(a.payload), is = read_child(b.payload);
    return was && is && was->run_id == is->run_id && same_amounts(was->slice, is->slice);
  }
  if (a.kind == journal::Kind::snapshot) return same_snapshot(a.payload, b.payload);
  // Which failure led to a note is told by its code: what providers say may be worded anew.
  auto was = a.kind == journal::Kind::note ? read_note(a.payload) : fail(Errc::unsupported, "");
  auto is = a.kind == journal::Kind::note ? read_note(b.payload) : fail(Errc::unsupported, "");
  if (!was || !is) return false;
  const auto *failed = std::get_if<FailedNote>(&*was), *fails = std::get_if<FailedNote>(&*is);
  return failed != nullptr && fails != nullptr && failed->error.code == fails->error.code &&
         failed->unknown == fails->unknown && same_amounts(failed->used, fails->used);
}

std::string difference_of(const std::string& recorded, const std::string& now) {
  auto [was, is] = std::ranges::mismatch(recorded, now);
  return fmt::format("{} bytes, from byte {} on other ones than the {} recorded", now.size(),
                     is - now.begin(), recorded.size());
}

}  // namespace troupe::actors
