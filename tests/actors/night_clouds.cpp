// Troubles by hours, answers by rule.
#include "tests/actors/night_clouds.hpp"

#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace troupe::actors::testing {
namespace {

using namespace std::chrono_literals;
constexpr std::int64_t kMinuteMs = 60'000;

class CloudAttempt final : public HttpAttempt {
 public:
  explicit CloudAttempt(std::function<void()> on_cancel) : on_cancel_(std::move(on_cancel)) {}
  void cancel() override { on_cancel_(); }

 private:
  std::function<void()> on_cancel_;
};

std::string prompt_text(const CompletionRequest& request) {
  std::string out;
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (const auto* text = std::get_if<TextPart>(&part)) out += text->text;
  return out;
}

struct TranscriptLine {
  std::string id, text;
};

std::vector<TranscriptLine> transcript_lines(std::string_view prompt) {
  std::vector<TranscriptLine> out;
  auto at = prompt.rfind("<transcript>\n");
  while (at != std::string_view::npos && at < prompt.size()) {
    auto end = prompt.find('\n', at);
    auto line = prompt.substr(at, end - at);
    at = end == std::string_view::npos ? end : end + 1;
    auto close = line.find("] "), colon = line.find(": ");
    if (!line.starts_with('[') || close == line.npos || colon == line.npos) continue;
    out.push_back({std::string(line.substr(1, close - 1)), std::string(line.substr(colon + 2))});
  }
  return out;
}

const char* kind_of(std::string_view text) {
  if (text.find("decided") != text.npos) return "decision";
  if (text.find('?') != text.npos) return "question";
  return text.find("I will") != text.npos ? "action" : "topic";
}

// At most eight lines, evenly spread.
std::string answer_to(const CompletionRequest& request, const std::string& prompt) {
  bool digest = request.response_schema && request.response_schema->name == "recap_digest";
  auto lines = transcript_lines(prompt);
  auto step = std::max<std::size_t>(1, (lines.size() + 7) / 8);
  Json list = Json::array();
  for (std::size_t i = 0; i < lines.size(); i += step) {
    Json each;
    if (!digest) each["kind"] = kind_of(lines[i].text);
    each["text"] = lines[i].text;
    each["sources"] = Json::array({lines[i].id});
    if (!digest) each["people"] = Json::array();
    list.push_back(std::move(each));
  }
  Json out;
  out[digest ? "digest" : "points"] = std::move(list);
  return dump_json(out);
}

}  // namespace

Clouds::Clouds(CloudsPlan plan, const Clock& clock, WallTime night_begins)
    : plan_(plan), clock_(clock), rng_(plan.seed ^ 0x636c6f756473) {
  if (plan_.outages) plan_troubles(night_begins);
}

void Clouds::plan_troubles(WallTime night_begins) {
  auto add = [&](std::int64_t minute, std::int64_t minutes, const std::string& endpoint, Trouble trouble,
                 double share) {
    auto from = night_begins.ms + minute * kMinuteMs;
    windows_.push_back({{from}, {from + minutes * kMinuteMs}, endpoint, trouble, share});
  };
  // Every cloud is gone for half an hour early in the night, and one region twice for longer.
  for (const auto& id : ids()) add(150, 30, id, Trouble::out, 1);
  for (const char* id : {"east-1", "east-2"}) {
    add(60, 75, id, Trouble::out, 1);
    add(400, 90, id, Trouble::out, 1);
  }
  constexpr Trouble kinds[] = {Trouble::out, Trouble::throttles, Trouble::fails, Trouble::slow};
  for (int i = 0; i < 40; ++i) {
    auto id = ids()[rng_.below(4)];
    auto kind = kinds[rng_.below(4)];
    auto share = kind == Trouble::out ? 1 : 0.3 + 0.6 * rng_.uniform();
    add(static_cast<std::int64_t>(rng_.below(24 * 60)), 3 + static_cast<std::int64_t>(rng_.below(25)), id,
        kind, share);
  }
}

const Clouds::Window* Clouds::trouble_at(const std::string& endpoint) const {
  auto now = clock_.wall();
  for (const auto& window : windows_)
    if (window.endpoint == endpoint && window.from <= now && now < window.to) return &window;
  return nullptr;
}

std::shared_ptr<AttemptResult> Clouds::outcome(const std::string& endpoint, const RunAttempt& order,
                                               Duration& takes) {
  auto result = std::make_shared<AttemptResult>();
  result->record.endpoint = endpoint;
  result->record.cause = order.cause;
  result->record.started = clock_.wall();
  auto fails = [&](Errc code, Duration after) {
    result->error = make_error(code, "the simulated cloud says so");
    result->record.error = to_string(code);
    if (code == Errc::rate_limited) result->error->retry_after = 2s;
    takes = after;
    return result;
  };
  const auto* window = trouble_at(endpoint);
  bool hit = window != nullptr && rng_.uniform() < window->share;
  if (hit && window->trouble == Trouble::out) return fails(Errc::unreachable, 300ms);
  if (hit && window->trouble == Trouble::throttles) return fails(Errc::rate_limited, 80ms);
  if (hit && window->trouble == Trouble::fails) return fails(Errc::transient_server, 700ms);
  if (in_flight_[endpoint] >= plan_.room) return fails(Errc::rate_limited, 80ms);
  auto wanted = from_seconds(seconds(plan_.latency) * (0.5 + rng_.uniform()));
  if (hit && window->trouble == Trouble::slow) wanted *= 8;
  auto prompt = prompt_text(*order.request);
  auto text = answer_to(*order.request, prompt);
  Usage usage;
  usage.input = static_cast<std::int64_t>(prompt.size() / 4 + 1);
  usage.output = static_cast<std::int64_t>(text.size() / 4 + 1);
  bool cut = rng_.uniform() < plan_.failing / 2;
  if (!cut && rng_.uniform() < plan_.failing / 2) return fails(Errc::transient_server, 700ms);
  takes = wanted;
  result->record.ttft = wanted / 4;
  result->record.total = wanted;
  if (cut) {
    usage.output /= 2;
    result->record.usage = usage;
    fails(Errc::stream_broken, wanted / 2);
    result->error->maybe_billed = true;
    return result;
  }
  result->record.usage = usage;
  result->completion.parts.emplace_back(TextPart{std::move(text), false});
  result->completion.usage = usage;
  return result;
}

std::shared_ptr<HttpAttempt> Clouds::begin(const std::string& endpoint, const RunAttempt& order,
                                           HttpAttempt::Ended ended) {
  ++bill_.attempts;
  Duration takes{};
  auto result = outcome(endpoint, order, takes);
  ++in_flight_[endpoint];
  Place place{clock_.now() + takes, ++number_};
  pending_.emplace(place, Pending{endpoint, std::move(ended), std::move(result)});
  return std::make_shared<CloudAttempt>([this, place, endpoint] { cancel(place, endpoint); });
}

// What was written until then is billed: half of it, for want of a better guess; and nobody hears of it.
void Clouds::cancel(Place place, const std::string& endpoint) {
  auto it = pending_.find(place);
  if (it == pending_.end()) return;
  auto node = pending_.extract(it);
  auto& result = *node.mapped().result;
  result.error = make_error(Errc::cancelled, "the caller gave up");
  result.record.error = to_string(Errc::cancelled);
  result.completion = {};
  result.record.usage.output /= 2;
  node.key() = {clock_.now(), ++number_};
  pending_.insert(std::move(node));
  (void)endpoint;
}

void Clouds::charge(const AttemptResult& result) {
  auto usd = policy::cost_usd(price(), result.record.usage);
  bill_.usd += usd;
  if (!result.error) {
    ++bill_.answered;
  } else if (result.error->code == Errc::stream_broken) {
    ++bill_.cut;
  } else if (result.error->code == Errc::rate_limited) {
    ++bill_.refused;
  } else if (result.error->code == Errc::cancelled) {
    ++bill_.cancelled;
  } else {
    ++bill_.failed;
  }
}

void Clouds::caller_died() {
  for (auto& [place, pending] : pending_) {
    charge(*pending.result);
    if (!pending.result->error) ++bill_.unheard;
    bill_.unheard_usd += policy::cost_usd(price(), pending.result->record.usage);
  }
  pending_.clear();
  in_flight_.clear();
}

void Clouds::answer_due() {
  while (!pending_.empty() && pending_.begin()->first.first <= clock_.now()) {
    auto node = pending_.extract(pending_.begin());
    auto& pending = node.mapped();
    --in_flight_[pending.endpoint];
    charge(*pending.result);
    pending.ended(std::move(pending.result));
  }
}

std::optional<Instant> Clouds::next_due() const {
  if (pending_.empty()) return std::nullopt;
  return pending_.begin()->first.first;
}

std::vector<std::string> Clouds::troubles() const {
  constexpr const char* names[] = {"out", "throttling", "failing", "slow"};
  std::vector<std::string> out;
  for (const auto& window : windows_)
    out.push_back(fmt::format("{} {} {} {:.0f}%", to_iso8601(window.from), window.endpoint,
                              names[static_cast<int>(window.trouble)], 100 * window.share));
  return out;
}

}  // namespace troupe::actors::testing
