// Comma-separated values as RFC 4180 describes them: text to fields and back. Pure.
#pragma once

#include <troupe/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::policy {

struct CsvBounds {
  std::size_t bytes_max = 64u << 20;
  std::size_t rows_max = 1'000'000;
  std::size_t fields_max = 256;
};
struct CsvRow {
  /// Where it begins, from 1.
  std::size_t line = 0;
  std::vector<std::string> fields;
};

/// Rows of a file, the header first. Lines end with LF or CRLF; quoted fields may hold commas, quotes
/// (doubled) and line ends; empty lines are left out. A byte-order mark is dropped. invalid_input with the
/// line for a quote that is not closed or closes inside a field, and for what is over the bounds.
Result<std::vector<CsvRow>> parse_csv(std::string_view text, const CsvBounds& bounds = {});

/// One line with its end, fields quoted where they must be. Every byte is kept.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace troupe::policy
