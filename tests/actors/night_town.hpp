// The world around a night of recaps: a workspace made by rule whose access, opt-outs and messages change
// through the night, and mailboxes that know what everyone got. It outlives every process.
#pragma once

#include "agents/recap_night/joining.hpp"
#include "agents/recap_night/ports.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::actors::testing {

struct TownPlan {
  std::size_t users = 1000, channels = 60, teams = 40;
  std::uint64_t seed = 1;
  /// Its messages are of this day; everyone's night is the one after.
  std::string day = "2026-11-23";
  /// So many of these happen at some moment of the night.
  std::size_t deletions = 20, edits = 10, revocations = 20, opt_outs = 10;
  /// Off: a mailbox takes every letter it is given, whatever its key.
  bool mailbox_knows_keys = true;
  /// Off: access and messages are taken as they were in the evening.
  bool checked_when_read = true;
  /// A mailbox took the letter, but says it failed.
  double answer_lost = 0.005;
};

/// Twelve zones, from west to east, with uneven shares of the users.
const std::vector<std::string>& town_zones();

/// What is wrong in the end, and how much of everything there was.
struct TownVerdict {
  /// Of those who did not opt out before their letter: got none, more than one, or one after 06:00.
  std::size_t none = 0, more = 0, late = 0;
  /// Opted out, and got one.
  std::size_t unwanted = 0;
  /// Sentences shown of a channel their reader could not read then, or of a message deleted or edited then.
  std::size_t forbidden = 0, stale = 0;
  /// Sentences that are older than the reader's last recap.
  std::size_t old = 0;
  std::size_t expected = 0, letters = 0, repeats_dropped = 0, empty = 0, uncondensed = 0, with_missing = 0;
  std::size_t sentences = 0;
};

class Town final : public recap_night::NightSource, public recap_night::Mailbox {
 public:
  Town(TownPlan plan, const Clock& clock);

  // NightSource.
  std::string workspace() const override { return "town"; }
  Result<std::vector<std::string>> readers(const std::string& zone) override;
  recap_night::Reader reader(const std::string& id) override;
  bool allowed(const std::string& channel) override;
  std::string edition(const std::string& channel, const std::string& date) override;
  Result<slack::ChannelDay> read(const std::string& channel, const std::string& date) override;
  bool stands(const recap_night::SourceMessage& source) override;

  // Mailbox.
  Result<bool> put(const recap_night::Letter& letter) override;

  const TownPlan& plan() const { return plan_; }
  TownVerdict verdict() const;
  /// What every reader would cost who shares nothing: channel-days to be summarised for each one alone.
  std::size_t days_unshared() const;
  /// Channel-days that somebody wants.
  std::size_t days_wanted() const;

 private:
  struct Written {
    std::string ts, user, text, edited_text;
    WallTime deleted{INT64_MAX}, edited{INT64_MAX};
  };
  struct Person {
    std::size_t zone = 0;
    bool opted_in = true;
    WallTime opts_out{INT64_MAX}, since, first_since;
    std::vector<std::string> channels;
    std::map<std::string, WallTime> revoked;
    std::vector<WallTime> letters;
    bool complained = false;
  };

  void write_channels();
  void fill_houses();
  void plan_changes();
  std::string sentence(std::size_t author);
  WallTime moment_of_night();
  const Written* find_message(const std::string& channel, const std::string& ts) const;
  static const std::string& text_at(const Written& message, WallTime now);
  bool may_read(const Person& person, const std::string& channel, WallTime now) const;
  void judge(const Person& person, const recap_night::Letter& letter, WallTime now);
  WallTime due_of(const Person& person) const;

  TownPlan plan_;
  const Clock& clock_;
  Rng rng_;
  WallTime day_begins_;
  std::map<std::string, std::vector<Written>> channels_;
  std::set<std::string> closed_;
  std::map<std::string, Person> people_;
  std::vector<std::vector<std::string>> by_zone_;
  std::set<std::string> keys_;
  TownVerdict counted_;
};

/// The local morning of that zone whose night begins, `lead` before 06:00, after the town's day has ended.
struct ZoneMorning {
  std::string zone, date;
  WallTime starts, due;
};
std::vector<ZoneMorning> mornings_after(const std::string& day, Duration lead);

}  // namespace troupe::actors::testing
