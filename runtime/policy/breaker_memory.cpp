#include "runtime/policy/breaker_memory.hpp"

#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe::policy {
namespace {

constexpr std::string_view kMark = "breaker";
constexpr std::size_t kTextMax = 4096;

// One walk over the fields serves both directions, so that they cannot disagree.
template <class Visitor, class Memory>
void memory_fields(Visitor& v, Memory& m) {
  v("target", m.target);
  v("state", m.state);
  v("reason", m.reason);
  v("open_for", m.open_for);
  v("cool_left", m.cool_left);
  v("held_left", m.held_left);
  v("stage", m.stage);
  v("ramp_seen", m.ramp_seen);
  v("ramp_bad", m.ramp_bad);
  v("relapses", m.relapses);
  v("recovered_for", m.recovered_for);
  v("feedback_trial", m.feedback_trial);
  v("only_slow", m.only_slow);
  v("stall_trial", m.stall_trial);
  v("ttft_p90", m.healthy.ttft_p90);
  v("itl_p90", m.healthy.itl_p90);
  v("total_p90", m.healthy.total_p90);
  v("bad_share", m.healthy.bad_share);
  v("bad_ratings", m.healthy_feedback);
  v("proof", m.proof);
}

struct MemoryWriter {
  std::string text{kMark};
  void put(const char* name, const std::string& value) { text += fmt::format(" {}={}", name, value); }
  void operator()(const char* name, BreakerState state) { put(name, to_string(state)); }
  void operator()(const char* name, TripReason reason) { put(name, to_string(reason)); }
  void operator()(const char* name, Duration d) { put(name, fmt::format("{}", d.count())); }
  void operator()(const char* name, std::size_t n) { put(name, fmt::format("{}", n)); }
  void operator()(const char* name, double x) { put(name, fmt::format("{}", x)); }
  void operator()(const char* name, bool yes) { put(name, yes ? "1" : "0"); }
  void operator()(const char* name, const std::optional<Duration>& d) {
    if (d) (*this)(name, *d);
  }
};

struct MemoryReader {
  std::string_view name, value;
  bool sound = true;

  template <class Number>
  void number(Number& out) {
    Number read{};
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), read);
    sound = sound && error == std::errc{} && end == value.data() + value.size();
    if (sound) out = read;
  }
  template <class Enum>
  void word(Enum& out, Enum last) {
    for (int i = 0; i <= static_cast<int>(last); ++i)
      if (value == to_string(static_cast<Enum>(i))) {
        out = static_cast<Enum>(i);
        return;
      }
    sound = false;
  }
  void read(BreakerState& state) { word(state, BreakerState::partial); }
  void read(TripReason& reason) { word(reason, kLastTripReason); }
  void read(std::size_t& n) { number(n); }
  void read(double& x) {
    number(x);
    sound = sound && std::isfinite(x) && x >= 0;
  }
  void read(bool& yes) {
    sound = sound && (value == "0" || value == "1");
    yes = value == "1";
  }
  void read(Duration& d) {
    std::int64_t ns = 0;
    number(ns);
    sound = sound && ns >= 0;
    d = Duration(ns);
  }
  void read(std::optional<Duration>& d) { read(d.emplace()); }

  template <class Field>
  void operator()(const char* field, Field& out) {
    if (name == field) read(out);
  }
};

}  // namespace

std::uint64_t target_hash(std::initializer_list<std::string_view> words) {
  std::uint64_t hash = words.size();
  for (auto word : words) hash = stable_hash(word, hash + 1);
  return std::max<std::uint64_t>(hash, 1);
}

BreakerMemory orders_alone(const BreakerMemory& memory, Duration away) {
  BreakerMemory left;
  left.target = memory.target;
  if (memory.held_left <= away) return left;
  left.state = memory.state;
  left.reason = memory.reason;
  left.open_for = memory.open_for;
  left.cool_left = memory.cool_left;
  left.held_left = memory.held_left;
  left.stage = memory.stage;
  return left;
}

std::string to_text(const BreakerMemory& memory) {
  MemoryWriter writer;
  memory_fields(writer, memory);
  return std::move(writer.text);
}

std::optional<BreakerMemory> breaker_memory(std::string_view text) {
  if (text.size() > kTextMax || !text.starts_with(kMark)) return std::nullopt;
  text.remove_prefix(kMark.size());
  BreakerMemory memory;
  while (!text.empty()) {
    if (text.front() != ' ') return std::nullopt;
    text.remove_prefix(1);
    auto word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    auto equals = word.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    MemoryReader reader{word.substr(0, equals), word.substr(equals + 1)};
    memory_fields(reader, memory);
    if (!reader.sound) return std::nullopt;
  }
  return memory;
}

}  // namespace troupe::policy
