// What siblings at work ask alike is asked once: the second gets what the first was told (MECHANISMS M3).
#pragma once

#include <troupe/tool.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::research {

/// Outputs of the agents of one run while some of them work. Not recorded here: each agent records what it
/// was told as a step of its own, so a resumed agent needs nobody's memory. Thread-safe.
class SharedCalls : public std::enable_shared_from_this<SharedCalls> {
 public:
  /// The same tool; a call that somebody makes, or has made well, is not made again (call_hash says
  /// which are one). Failures are not kept.
  /// A tool that is not `repeatable` has effects and is given back as it is.
  ToolPtr over(ToolPtr tool);
  Toolbox over(const Toolbox& tools);

  static constexpr std::size_t calls_max = 1024;
  static constexpr std::size_t bytes_max = 16 * 1024 * 1024;

 private:
  using Done = std::function<void(Result<ToolOutput>)>;
  friend class SharedTool;
  struct Call {
    bool made = false;
    ToolOutput output;
    std::vector<Done> waiting;
  };
  enum class Next { first, waits, told, alone };
  Next join(const std::string& key, Done& done, ToolOutput& known);
  void call(const ToolPtr& tool, const ToolContext& context, const JsonText& input, Done done);
  void ended(const std::string& key, const Result<ToolOutput>& output);

  std::mutex mutex_;
  std::map<std::string, Call> calls_;
  std::size_t bytes_ = 0;
};

/// Those of the runs that go on now, by what names a run. Thread-safe.
class SharedCallsOfRuns {
 public:
  /// Lives as long as somebody holds it.
  std::shared_ptr<SharedCalls> of(const std::string& run);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<SharedCalls>> runs_;
};

}  // namespace troupe::research
