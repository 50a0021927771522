// What a night of recaps asks of its surroundings: who reads what, what was written, where recaps go, and
// runs that several runs share.
#pragma once

#include "agents/recap_night/summary.hpp"
#include "agents/slack/workspace.hpp"

#include <troupe/error.hpp>
#include <troupe/run.hpp>
#include <troupe/time.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::recap_night {

/// A person as of now.
struct Reader {
  /// Off unless the person asked for recaps (J7).
  bool opted_in = false;
  /// The channels this person may read now, ascending.
  std::vector<std::string> channels;
  /// What is older was in an earlier recap; 0: there was none.
  WallTime since;
};

/// A workspace as it is at the moment of each call: access, opt-outs and messages change through the night.
/// Thread-safe. A call may read a file, so it is made within steps and tools only.
class NightSource {
 public:
  virtual ~NightSource() = default;
  /// Part of run ids and of letters' keys.
  virtual std::string workspace() const = 0;
  /// All people who wake up in this zone, ascending.
  virtual Result<std::vector<std::string>> readers(const std::string& zone) = 0;
  /// Of somebody unknown: one who never opted in.
  virtual Reader reader(const std::string& id) = 0;
  /// Do the channel's admins allow recaps?
  virtual bool allowed(const std::string& channel) = 0;
  /// Names the content of a channel-day: another one once a message was added, edited or deleted. Empty:
  /// there are no messages. A day that could not be read has one, though `read` fails for it: letters then
  /// name its channel as missing.
  virtual std::string edition(const std::string& channel, const std::string& date) = 0;
  virtual Result<slack::ChannelDay> read(const std::string& channel, const std::string& date) = 0;
  /// Is that message still there, with that text?
  virtual bool stands(const SourceMessage& source) = 0;
  /// What of the workspace could not be read.
  virtual std::vector<slack::Problem> problems() { return {}; }
};

/// One person's recap of one morning.
struct Letter {
  /// WORKSPACE/DATE/USER: there is one for each person and morning, whoever makes it and however often.
  std::string key;
  std::string user, date;
  std::vector<Item> items;
  /// Channels that could not be read or were not summarised in time.
  std::vector<std::string> missing;
  /// The points are as they were: there was no time to condense them.
  bool uncondensed = false;
  /// The next recap begins here; to be stored together with the letter.
  WallTime until;
};

/// Where letters go. Thread-safe.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  /// False: a letter of that key was there, and this one was dropped. An error: nobody knows.
  virtual Result<bool> put(const Letter& letter) = 0;
};

/// Runs that nobody owns: whoever needs what such a run makes joins it by its id, and only the first begins
/// it. Thread-safe.
class SharedRuns {
 public:
  virtual ~SharedRuns() = default;
  /// `ended` is called once, on any thread, perhaps within this call: at once when the run is over already. A
  /// run that waits its turn does so by `due`, the earliest of all who joined.
  virtual void join(RunSpec spec, WallTime due, std::function<void(RunReport)> ended) = 0;
  /// Of a run that is done; not_found otherwise.
  virtual Result<JsonText> output(const std::string& run_id) = 0;
};

struct NightWorld {
  std::shared_ptr<NightSource> source;
  std::shared_ptr<Mailbox> mailbox;
};

struct NightPorts {
  /// From a run's input, which names where all this is. Called anew for each run.
  std::function<Result<NightWorld>(const Json& input)> open;
  std::shared_ptr<SharedRuns> runs;
};

}  // namespace troupe::recap_night
