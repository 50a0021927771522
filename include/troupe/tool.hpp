// What a model may use besides words: a tool, what it is called with, and what it gives back.
#pragma once

#include <troupe/error.hpp>
#include <troupe/request.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// Bytes [start, end) of a stored document's text.
struct Span {
  std::string doc;
  std::size_t start = 0, end = 0;
  friend auto operator<=>(const Span&, const Span&) = default;
};

/// On whose behalf a tool is called, and for how long.
struct ToolContext {
  /// Together they name this call for ever: a tool with effects passes them on as its idempotency key.
  std::string run_id, step_key;
  std::string tenant = "default";
  /// Whose rights decide what may be read (J4); empty: what everyone may read.
  std::string principal;
  Duration deadline = std::chrono::seconds(60);
};

/// What a tool gave back.
struct ToolOutput {
  /// What the model reads. Data, never instructions (J9).
  std::string text;
  /// The tool did not do it and says why: an observation for the model, not an error of ours (M13).
  bool is_error = false;
  /// The stretches of stored documents that `text` shows, in its order.
  std::vector<Span> sources;
  friend bool operator==(const ToolOutput&, const ToolOutput&) = default;
};

/// Thread-safe.
class Tool {
 public:
  virtual ~Tool() = default;
  /// Name, description and arguments as a model sees them. The same for the tool's whole life.
  virtual const ToolSpec& spec() const = 0;
  /// May it be called again when nobody knows whether an earlier call was carried out?
  virtual bool repeatable() const { return true; }
  /// `input` is JSON that fits the schema, or the tool answers invalid_input. `done` is called exactly once,
  /// on any thread, perhaps before this returns. Computing for some milliseconds is fine; what waits for
  /// others does so on a thread of its own. An Error means that the tool could not be used at all.
  virtual void call(const ToolContext& context, const JsonText& input,
                    std::function<void(Result<ToolOutput>)> done) = 0;
};
using ToolPtr = std::shared_ptr<Tool>;

/// The tools somebody may use, by name. A value; nothing that is not in it can be called through it.
class Toolbox {
 public:
  /// invalid_input when there is one of that name.
  Result<void> add(ToolPtr tool);
  /// Null when there is none.
  ToolPtr find(const std::string& name) const;
  /// In the order they were added.
  std::vector<ToolSpec> specs() const;
  /// Only those named, in the order of `names`; unknown names are left out.
  Toolbox only(const std::vector<std::string>& names) const;
  bool empty() const { return tools_.empty(); }

 private:
  std::vector<ToolPtr> tools_;
};

}  // namespace troupe
