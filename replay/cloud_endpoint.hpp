// One endpoint of a modelled cloud: what becomes of an attempt, settled the moment it begins.
#pragma once

#include "replay/capacity_model.hpp"
#include "runtime/config/config.hpp"

#include <span>
#include <unordered_map>
#include <vector>

namespace troupe::replay {

/// A call as a cloud meets it.
struct CloudAsk {
  /// The call's own luck, and the how-manieth attempt of the call at this endpoint this is: the same answer
  /// time for the same call under every policy.
  std::uint64_t luck = 0;
  std::uint32_t nth = 0;
  std::uint32_t input_tokens = 0, output_tokens = 0, output_tokens_max = 0;
  std::span<const std::uint64_t> blocks;
  Instant deadline;
};

/// How an attempt will go, unless it is cancelled. Times since it began.
struct Fate {
  /// Zero: no token comes.
  Duration first_token{};
  Duration end{};
  /// Of a healthy stream, per token after the first.
  Duration per_token{};
  std::optional<Errc> error;
  std::optional<Duration> retry_after;
  /// Tokens the cloud charges; cache_read and input are apart.
  std::uint32_t input = 0, cached = 0, output = 0;
  /// Whole, quick, and useless.
  bool poor = false;
  bool admitted = false;
  CapacityHold hold;
  /// What the answer would take were nothing wrong and nobody else there, when it was found on the way; zero:
  /// ask `unhurried`.
  Duration calm_first{}, calm_end{};
};

/// Latency: two log-normals (providers/simulator/law.hpp), plus the tail and the places of
/// config::ReplayModel; a prompt's cached blocks cost no time. Timers are http.timeouts and the deadline, as
/// in the live attempt: no first token within first_byte (or header, when the head is late too) is a timeout;
/// running into the deadline says nothing about the endpoint. Input is charged once the cloud began to work
/// on it, output as far as it was written. The prompt cache keeps each block for five minutes after its last
/// use (WIRE: Bedrock and Anthropic's default), at most blocks_max of them.
class CloudEndpoint {
 public:
  static constexpr std::size_t blocks_max = 500'000;
  CloudEndpoint(const config::SimulatedEndpoint& model, const config::TimeoutsConfig& timeouts, double scale,
                Instant start);

  Fate begin(const CloudAsk& ask, Instant now);
  /// The attempt ended, by itself or cancelled; `output` tokens had been written.
  void end(const Fate& fate, std::uint32_t output, Instant now);
  /// What the call would take here were nothing wrong and nobody else there: for judging slowness. The same
  /// luck as the call's first attempt has.
  Fate unhurried(const CloudAsk& ask) const;
  std::uint64_t calls() const { return calls_; }

 private:
  struct Struck {
    const config::Fault* refusal = nullptr;
    const config::Fault* breakage = nullptr;
    double slow = 1;
    Duration late{}, head_late{};
    bool poor = false;
  };
  struct Pace {
    Duration ttft{}, per_token{};
  };
  std::uint64_t luck_at(const CloudAsk& ask) const;
  Struck strike(std::uint64_t luck, Instant now) const;
  Pace draw(std::uint64_t luck, double input_tokens) const;
  static void set_calm(Fate& fate, const Pace& pace, const CloudAsk& ask);
  Fate refused(Errc code, std::optional<Duration> retry_after) const;
  Fate struck_down(const config::Fault& fault, const CloudAsk& ask, Instant now) const;
  Duration wait_for_place(Duration service, Instant now);
  std::uint32_t cached_tokens(const CloudAsk& ask, Instant now);
  void break_off(const config::Fault& fault, Fate& fate) const;
  void apply_timers(const CloudAsk& ask, Instant now, Fate& fate) const;

  config::SimulatedEndpoint model_;
  config::TimeoutsConfig timeouts_;
  double scale_;
  Instant start_;
  std::uint64_t name_hash_;
  CapacityModel capacity_;
  std::uint64_t calls_ = 0;
  /// When each place comes free: a heap, earliest first.
  std::vector<Instant> places_;
  std::unordered_map<std::uint64_t, Instant> block_used_;
};

}  // namespace troupe::replay
