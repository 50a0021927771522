// Source marks in running text: "Ann takes the release [3, 7]." Reading them afterwards, and while they come.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::summary {

/// What a model says that finds no answer to a question; the whole of its text.
inline constexpr std::string_view kNotFound = "NOT FOUND";
/// Is this all the text says, bullets and punctuation aside?
bool says_not_found(std::string_view text);

/// A statement and the marks it carries. Statements end with the line, or behind a mark that stands at the
/// end of a sentence; a sentence without a mark belongs to the marked one that follows it on its line.
struct Statement {
  /// Without its marks, bullet and white space around.
  std::string text;
  /// Valid ones, ascending, each once.
  std::vector<std::size_t> marks;
  /// Marks of nothing: 0, beyond the last, no number.
  std::size_t bad_marks = 0;
};

/// Follows a text byte by byte. A mark is "[12]", "[3, 7]", "[3-5]" or "[p3]" of numbers from 1 to
/// `marks_max`; other brackets are text. At most 24 numbers a mark and 96 bytes, longer ones are text too.
/// Any splitting of the text gives the same events. Not thread-safe.
class MarkScanner {
 public:
  struct Events {
    /// Text outside marks, in pieces.
    std::function<void(std::string_view)> text;
    /// A closed mark: its valid numbers, how many were not, and its bytes as they came.
    std::function<void(const std::vector<std::size_t>& valid, std::size_t bad, std::string_view raw)> mark;
    /// The statement has ended.
    std::function<void()> end;
  };
  MarkScanner(std::size_t marks_max, Events events) : marks_max_(marks_max), events_(std::move(events)) {}

  void add(std::string_view text);
  /// The text is over: what is held is given out.
  void finish();

 private:
  void add_byte(char c);
  void add_plain(char c);
  void close_bracket();
  void flush_bracket();
  void flush_text();
  void end_statement();

  std::size_t marks_max_;
  Events events_;
  std::string held_, text_;
  char last_ = '\n';
  bool after_mark_ = false, sentence_over_ = false, anything_ = false;
};

struct StatementLimits {
  std::size_t statements_max = 64;
  /// A longer statement is cut and ends in "…".
  std::size_t text_bytes_max = 1200;
  std::size_t answer_bytes_max = 256u << 10;
};

/// All statements of an answer, those without a valid mark included, at most `statements_max`; what is beyond
/// answer_bytes_max is not read. Never fails: anything is text. Pure.
std::vector<Statement> read_statements(std::string_view answer, std::size_t marks_max,
                                       const StatementLimits& limits = {});

/// What a reader sees while an answer comes. Text is passed on as it comes; only an open bracket is held
/// until it closes, so that no mark is shown before it is known to name something. Invalid marks are left
/// out, and a statement that ends without a valid one gets kNoSource behind it, because read_statements will
/// drop it and the reader has seen it. Not thread-safe.
class LiveText {
 public:
  static constexpr std::string_view kNoSource = " [no source: withdrawn]";

  /// Hidden marks count as sources all the same.
  enum class Marks { shown, hidden };

  LiveText(std::size_t marks_max, std::function<void(std::string_view)> show, Marks marks = Marks::shown);
  LiveText(const LiveText&) = delete;
  LiveText& operator=(const LiveText&) = delete;

  void add(std::string_view delta) { scanner_.add(delta); }
  void finish() { scanner_.finish(); }
  /// Statements shown that will be dropped.
  std::size_t withdrawn() const { return withdrawn_; }

 private:
  void on_text(std::string_view text);
  void on_mark(const std::vector<std::size_t>& valid);
  void on_end();

  std::function<void(std::string_view)> show_;
  Marks marks_;
  /// `blanks_`: what stands before a mark, which goes where the mark goes.
  std::string said_, blanks_;
  bool marked_ = false;
  std::size_t withdrawn_ = 0;
  MarkScanner scanner_;
};

}  // namespace troupe::summary
