// What was read and what was found in it: every finding holds the bytes it rests on.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/tool.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::research {

/// How a span's document begins that is what a tool said, and no document.
inline constexpr std::string_view kToolDocument = "tool:";

/// A document's title as findings keep it: one line, bounded.
std::string title_of(std::string_view title);

/// A stretch of a stored document, as a tool showed it.
struct Passage {
  /// "S1", "S2", …: what models call it.
  std::string id;
  std::string title, url;
  /// For a tool that names no document: "tool:NAME/KEY" and the bytes of what it said.
  Span span;
  /// The bytes of `span`.
  std::string text;
};

/// 16 hex digits of where it stands and what it says: the name of the recorded artefact (M11).
std::string artefact_id(const Passage& passage);
Json to_json(const Passage& passage);

/// The passages one agent has read, numbered in the order of reading. Not thread-safe.
class Shelf {
 public:
  explicit Shelf(std::size_t passages_max) : passages_max_(passages_max) {}
  /// The passages a tool showed, as positions; ones that are there already keep theirs, those beyond the
  /// bound are left out. Understood: {"hits":[{"doc","start","end","text","title"?,"url"?}…]}, one such
  /// object, else the whole output as one passage. A span whose length is not its text's is not believed: the
  /// text then counts as the tool's own.
  std::vector<std::size_t> add(const std::string& tool, const std::string& key, const ToolOutput& output);
  const std::vector<Passage>& passages() const { return passages_; }
  /// Null when there is none of that id.
  const Passage* find(std::string_view id) const;
  bool full() const { return passages_.size() >= passages_max_; }

 private:
  std::vector<Passage> passages_;
  std::map<Span, std::size_t> by_span_;
  std::size_t passages_max_;
};

/// One thing found out: in the model's words, with the bytes that show it.
struct Finding {
  std::string text;
  /// The bytes of `span`.
  std::string quote;
  std::string title, url;
  Span span;
  /// The recorded passage it was taken from.
  std::string artefact;
  friend bool operator==(const Finding&, const Finding&) = default;
};
/// With "digest", 16 hex digits over all of it.
Json to_json(const Finding& finding);
/// Not what its digest was made of. One without a digest is believed.
bool was_altered(const Json& finding);
/// invalid_input without the bytes it rests on, or when it was altered (M11): what a worker wrote is read as
/// it was written, or not at all; runs of older code wrote no digests. The digest finds what was altered, not
/// who also made a new digest.
Result<Finding> finding_from(const Json& json);

/// How well a finding must be borne out by its quote.
inline constexpr double kFindingSupport = 0.5;

/// A model's {"text","source","quote"} against what was read: nothing when the source does not exist (an
/// invented id), else the quote where it stands, or the sentence of that passage that bears the text out
/// best. A text its quote does not bear out gives way to the quote. Pure.
std::vector<Finding> checked_findings(const Json& answer, const Shelf& shelf, std::size_t findings_max,
                                      std::size_t& dropped);

/// Every passage as a finding of its own, whole: what handing over references saves (M11).
std::vector<Finding> whole_passages(const Shelf& shelf);

/// Without a model: the sentences that hold most of the objective's words, at least a third of them. What an
/// agent falls back on when it may not ask any more. Pure.
std::vector<Finding> findings_by_rule(std::string_view objective, const Shelf& shelf,
                                      std::size_t findings_max);

}  // namespace troupe::research
