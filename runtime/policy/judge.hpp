// Pairs of answers to one question, shown to a judge in both orders: what two verdicts make, what judging may
// cost, and what many pairs add up to (EVALUATION 4.1 and 4.3, 12; L7). Pure.
#pragma once

#include <troupe/time.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace troupe::policy {

struct JudgePolicy {
  /// Of copied calls.
  double share = 0;
  /// What the judge's calls may cost on this node in a UTC day; when it is spent judging stops.
  double usd_per_day = 0;
  /// Pairs at one time.
  std::uint32_t in_flight_max = 4;
};
/// Nothing when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const JudgePolicy& policy);

/// Which of two answers a judge found better, by the place where it was shown.
enum class PairVerdict : std::uint8_t { first, second, tie };
/// The two verdicts on a pair: with the old model's answer in the first place, and in the second.
struct BothOrders {
  PairVerdict old_first = PairVerdict::tie, fresh_first = PairVerdict::tie;
};
/// +1: the new model's answer is better, -1: the old one's is. A verdict that does not stay when the answers
/// change places is about the place: 0, as a tie is.
int preference_of(const BothOrders& verdicts);
/// Do they say the same of the answers?
bool agree(const BothOrders& verdicts);

enum class JudgeAdmission : std::uint8_t { judge, over_budget, too_many };

/// Counts what judging costs. A pair's price is known when it is judged; until then it counts as the dearest
/// so far, and the first goes alone. Not thread-safe.
class JudgeMeter {
 public:
  explicit JudgeMeter(JudgePolicy policy) : policy_(policy) {}
  /// `judge`: the pair is taken, and ended() will be called for it.
  JudgeAdmission admit(WallTime now);
  void ended(double usd, WallTime now);
  double spent(WallTime now);
  /// The end of the UTC day when nothing more can be judged in it; 0 when there is money left.
  WallTime spent_until(WallTime now);

 private:
  void turn_day(WallTime now);
  bool affords_one_more() const;

  JudgePolicy policy_;
  std::int64_t day_ = 0;
  bool priced_ = false;
  double spent_ = 0, dearest_ = 0;
  std::uint32_t in_flight_ = 0;
};

/// What a judge has done so far. Each pair that came is counted once among `pairs` and the reasons why it was
/// not judged.
struct JudgeTally {
  /// Judged: pairs == better + worse + ties.
  std::uint64_t pairs = 0, better = 0, worse = 0, ties = 0;
  /// Of the ties: the same text, so nobody was asked; and verdicts that changed with the order.
  std::uint64_t same = 0, split = 0;
  /// Verdicts that named an answer, and those that named the one in the first place.
  std::uint64_t named = 0, named_first = 0;
  /// Not judged: the judge gave no usable verdict, its money was spent, too many were under way, or an answer
  /// is not text or too long to be shown whole.
  std::uint64_t failed = 0, over_budget = 0, too_many = 0, unfit = 0;
  /// The judge's calls, by model; those without a usable verdict too.
  std::map<std::string, std::uint64_t> calls;
  double usd = 0;
  /// See JudgeMeter.
  WallTime spent_until;

  void add_same();
  /// What the pair says: preference_of.
  int add(const BothOrders& verdicts);
  /// Of the pairs that were asked about: how many were judged the same in both orders. 1 when none was.
  double agreement() const;
};

}  // namespace troupe::policy
