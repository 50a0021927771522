#include "replay/arrivals.hpp"

#include "replay/luck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::replay {
namespace {

constexpr std::uint64_t kKeepSalt = 1, kFeatureSalt = 2, kTenantSalt = 3, kShiftSalt = 4;
// Other copies are other people: their prompts share nothing with the first copy's.
constexpr std::uint64_t kBlockStride = 1ULL << 44;

double most_copies(const LoadOptions& options) {
  double most = options.scale;
  for (const auto& surge : options.surges) most *= std::max(surge.factor, 1.0);
  return std::ceil(most);
}

}  // namespace

std::optional<std::string> validate(const LoadOptions& options) {
  if (!(options.scale > 0) || !std::isfinite(options.scale)) return "the scale must be above 0";
  if (options.mix.empty()) return "the mix needs a feature";
  for (const auto& part : options.mix)
    if (!(part.share > 0) || !std::isfinite(part.share)) return "a share of the mix must be above 0";
  for (const auto& surge : options.surges)
    if (!(surge.factor >= 0) || !std::isfinite(surge.factor) || surge.to <= surge.from)
      return "a surge needs a factor from 0 on and an end after its beginning";
  if (most_copies(options) > Arrivals::copies_max)
    return fmt::format("scale and surges together make more than {:.0f} times the load",
                       Arrivals::copies_max);
  if (options.tenants == 0) return "there must be a tenant";
  return std::nullopt;
}

Arrivals::Arrivals(TracePtr trace, LoadOptions options)
    : trace_(std::move(trace)), options_(std::move(options)) {
  for (const auto& part : options_.mix) share_sum_ += part.share;
  auto copies = static_cast<std::uint32_t>(most_copies(options_));
  auto shift_max = static_cast<double>(options_.shift_max.count());
  for (std::uint32_t copy = 0; copy < copies; ++copy) {
    double part = copy == 0 ? 0 : luck_uniform(luck_of(options_.seed, kShiftSalt, copy));
    shifts_.push_back(Duration(static_cast<std::int64_t>(part * shift_max)));
    if (shifts_[copy] >= shifts_[last_copy_]) last_copy_ = copy;
  }
  cursors_.resize(copies);
}

// Is there a row of this index? Reads on as far as needed.
Result<bool> Arrivals::fetch(std::uint64_t index) {
  while (!ended_ && index >= first_row_ + rows_.size()) {
    TraceRow row;
    auto got = trace_->next(row);
    if (!got) return got;
    if (*got)
      rows_.push_back(std::move(row));
    else
      ended_ = true;
  }
  return index < first_row_ + rows_.size();
}

Result<void> Arrivals::line_up(std::uint32_t copy) {
  auto there = fetch(cursors_[copy]);
  if (!there) return std::unexpected(there.error());
  if (*there) turns_.push({rows_[cursors_[copy] - first_row_].at + shifts_[copy], copy});
  return {};
}

Result<void> Arrivals::start() {
  started_ = true;
  for (std::uint32_t copy = 0; copy < shifts_.size(); ++copy)
    if (auto done = line_up(copy); !done) return done;
  return {};
}

void Arrivals::forget_passed() {
  for (; first_row_ < cursors_[last_copy_] && !rows_.empty(); ++first_row_) rows_.pop_front();
}

double Arrivals::level(std::uint32_t feature, Duration at) const {
  double level = options_.scale;
  for (const auto& surge : options_.surges) {
    bool concerned = surge.feature.empty() || surge.feature == options_.mix[feature].feature;
    if (concerned && at >= surge.from && at < surge.to) level *= surge.factor;
  }
  return level;
}

std::uint32_t Arrivals::feature_of(std::uint64_t hash) const {
  double left = luck_uniform(hash) * share_sum_;
  for (std::uint32_t i = 0; i + 1 < options_.mix.size(); ++i) {
    left -= options_.mix[i].share;
    if (left < 0) return i;
  }
  return static_cast<std::uint32_t>(options_.mix.size() - 1);
}

bool Arrivals::take(const Turn& turn, Arrival& out) {
  auto index = cursors_[turn.copy];
  auto id = luck_of(options_.seed, turn.copy, index);
  out.feature = options_.mix.size() == 1 ? 0 : feature_of(luck_of(id, kFeatureSalt));
  if (turn.copy + luck_uniform(luck_of(id, kKeepSalt)) >= level(out.feature, turn.at)) return false;
  const auto& row = rows_[index - first_row_];
  out.at = turn.at;
  out.number = ++number_;
  out.input_tokens = row.input_tokens;
  out.output_tokens = row.output_tokens;
  out.tenant = static_cast<std::uint32_t>(luck_of(id, kTenantSalt) % options_.tenants);
  out.blocks = row.blocks;
  for (auto& block : out.blocks) block += turn.copy * kBlockStride;
  return true;
}

Result<bool> Arrivals::next(Arrival& out) {
  if (!started_)
    if (auto done = start(); !done) return std::unexpected(done.error());
  while (!turns_.empty()) {
    auto turn = turns_.top();
    turns_.pop();
    bool taken = take(turn, out);
    ++cursors_[turn.copy];
    if (auto done = line_up(turn.copy); !done) return std::unexpected(done.error());
    if (turn.copy == last_copy_) forget_passed();
    if (taken) return true;
  }
  return false;
}

}  // namespace troupe::replay
