#include "runtime/policy/csv.hpp"

#include <fmt/format.h>

namespace troupe::policy {
namespace {

/// Reads one row after the other from a text.
class CsvReader {
 public:
  CsvReader(std::string_view text, const CsvBounds& bounds) : rest_(text), bounds_(bounds) {}

  bool at_end() const { return rest_.empty(); }

  Result<CsvRow> row() {
    CsvRow row{line_, {}};
    bool more = true;
    while (more) {
      if (row.fields.size() == bounds_.fields_max)
        return fail(Errc::invalid_input,
                    fmt::format("line {}: more than {} fields", line_, bounds_.fields_max));
      auto field = rest_.starts_with('"') ? quoted() : plain();
      if (!field) return std::unexpected(field.error());
      row.fields.push_back(std::move(*field));
      more = rest_.starts_with(',');
      if (more) rest_.remove_prefix(1);
    }
    end_line();
    return row;
  }

 private:
  Result<std::string> plain() {
    auto end = std::min(rest_.find_first_of(",\n"), rest_.size());
    std::string field(rest_.substr(0, end));
    rest_.remove_prefix(end);
    if (!rest_.starts_with(',') && field.ends_with('\r')) field.pop_back();
    return field;
  }

  Result<std::string> quoted() {
    auto begun = line_;
    rest_.remove_prefix(1);
    std::string field;
    for (;;) {
      auto quote = rest_.find('"');
      if (quote == std::string_view::npos)
        return fail(Errc::invalid_input, fmt::format("line {}: a quote is not closed", begun));
      for (auto c : rest_.substr(0, quote)) line_ += c == '\n';
      field += rest_.substr(0, quote);
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) break;
      field += '"';
      rest_.remove_prefix(1);
    }
    bool ends = rest_.empty() || rest_.front() == ',' || rest_.front() == '\n' || rest_.starts_with("\r\n");
    if (!ends) return fail(Errc::invalid_input, fmt::format("line {}: text after a closing quote", line_));
    return field;
  }

  void end_line() {
    if (rest_.starts_with("\r\n"))
      rest_.remove_prefix(2);
    else if (!rest_.empty())
      rest_.remove_prefix(1);
    ++line_;
  }

  std::string_view rest_;
  const CsvBounds& bounds_;
  std::size_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> parse_csv(std::string_view text, const CsvBounds& bounds) {
  if (text.size() > bounds.bytes_max)
    return fail(Errc::invalid_input, fmt::format("larger than {} bytes", bounds.bytes_max));
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  CsvReader reader(text, bounds);
  std::vector<CsvRow> rows;
  while (!reader.at_end()) {
    auto row = reader.row();
    if (!row) return std::unexpected(row.error());
    if (row->fields.size() == 1 && row->fields[0].empty()) continue;
    if (rows.size() == bounds.rows_max)
      return fail(Errc::invalid_input, fmt::format("line {}: more than {} rows", row->line, bounds.rows_max));
    rows.push_back(std::move(*row));
  }
  return rows;
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto& field = fields[i];
    if (i > 0) line += ',';
    if (field.find_first_of(",\"\n\r") == std::string::npos) {
      line += field;
      continue;
    }
    line += '"';
    for (char c : field) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
  }
  return line + "\n";
}

}  // namespace troupe::policy
