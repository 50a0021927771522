// An inverted index of words in memory (SQLite's FTS5): which rows hold a word, how often, and how long they
// are.
#pragma once

#include "runtime/journal/database.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::journal {

/// How often a row holds a word, by column.
struct WordCount {
  std::int64_t row = 0;
  std::uint32_t in_title = 0, in_body = 0;
};

/// Words of a row, by column.
struct RowLength {
  std::uint32_t title = 0, body = 0;
};

/// Rows of a title and a body. Words are compared without case and accents and by their English stem
/// (unicode61 and porter). It ranks nothing: that is for whoever knows which rows may count. Used by one
/// thread at a time.
class FullText {
 public:
  /// Fails with `unsupported` when SQLite was built without FTS5.
  static Result<FullText> make();
  ~FullText();
  FullText(FullText&&) noexcept;
  FullText& operator=(FullText&&) noexcept;

  /// Rows count from 0 in the order they are added.
  Result<void> add(std::string_view title, std::string_view body);
  /// After the last row: makes the index small and answers each row's length.
  Result<std::vector<RowLength>> finish();
  /// The rows that hold the word, ascending. It is quoted: nothing in it is search syntax. Bytes that the
  /// tokenizer splits are looked for as a phrase.
  Result<std::vector<WordCount>> count(std::string_view word);

 private:
  struct State;
  explicit FullText(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace troupe::journal
