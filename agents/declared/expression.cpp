#include "agents/declared/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe::declared {
namespace {

constexpr std::size_t kPathPartsMax = 32;

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool goes_on_name(char c) { return begins_name(c) || is_digit(c) || c == '-'; }

struct Comparison {
  std::string_view sign;
  Expression::Kind kind;
};
// Those of two characters first, so that "<=" is not taken for "<".
constexpr std::array kComparisons = {
    Comparison{"==", Expression::Kind::equal},      Comparison{"!=", Expression::Kind::unequal},
    Comparison{"<=", Expression::Kind::less_equal}, Comparison{">=", Expression::Kind::greater_equal},
    Comparison{"<", Expression::Kind::less},        Comparison{">", Expression::Kind::greater}};

ExpressionPtr made_of(Expression::Kind kind, std::vector<ExpressionPtr> operands, std::string name = {}) {
  auto out = std::make_shared<Expression>();
  out->kind = kind;
  out->operands = std::move(operands);
  out->name = std::move(name);
  return out;
}
ExpressionPtr made_of(Json literal) {
  auto out = std::make_shared<Expression>();
  out->literal = std::move(literal);
  return out;
}

// Recursive descent. The first mistake is kept and everything after it gives null.
class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : text_(text) {}

  ExpressionPtr disjunction() {
    if (++depth_ > kExpressionDepthMax)
      return wrong(fmt::format("nested deeper than {} levels", kExpressionDepthMax));
    auto left = conjunction();
    while (left && word("or")) left = joined(Expression::Kind::disjunction, left, conjunction());
    --depth_;
    return left;
  }
  bool sign(std::string_view wanted) {
    blanks();
    if (!text_.substr(at_).starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }
  bool at_end() {
    blanks();
    return at_ == text_.size();
  }
  std::size_t at() const { return at_; }
  ExpressionPtr wrong(std::string what) {
    if (problem_.empty()) problem_ = fmt::format("{} at character {}", what, at_ + 1);
    return nullptr;
  }
  const std::string& problem() const { return problem_; }

 private:
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  std::string_view name() {
    auto begin = at_;
    if (!begins_name(peek())) return {};
    while (goes_on_name(peek())) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  bool word(std::string_view wanted) {
    blanks();
    auto before = at_;
    if (name() == wanted) return true;
    at_ = before;
    return false;
  }
  static ExpressionPtr joined(Expression::Kind kind, ExpressionPtr left, ExpressionPtr right) {
    return right ? made_of(kind, {std::move(left), std::move(right)}) : nullptr;
  }

  ExpressionPtr conjunction() {
    auto left = negation();
    while (left && word("and")) left = joined(Expression::Kind::conjunction, left, negation());
    return left;
  }
  ExpressionPtr negation() {
    bool turned = false;
    while (word("not")) turned = !turned;
    auto inner = comparison();
    return inner && turned ? made_of(Expression::Kind::negation, {inner}) : inner;
  }
  ExpressionPtr comparison() {
    auto left = filtered();
    if (!left) return left;
    for (const auto& each : kComparisons)
      if (sign(each.sign)) return joined(each.kind, left, filtered());
    return left;
  }
  ExpressionPtr filtered() {
    auto value = primary();
    while (value && sign("|")) value = filter(std::move(value));
    return value;
  }
  ExpressionPtr filter(ExpressionPtr value) {
    blanks();
    auto wanted = name();
    auto kind = std::ranges::find(filter_kinds(), wanted, &FilterKind::name);
    if (kind == filter_kinds().end()) {
      std::vector<std::string_view> names;
      for (const auto& each : filter_kinds()) names.push_back(each.name);
      return wrong(fmt::format("\"{:.40}\" is no filter; there are {}", wanted, fmt::join(names, ", ")));
    }
    if (kind->argument == FilterKind::Argument::none)
      return made_of(Expression::Kind::filter, {std::move(value)}, std::string(wanted));
    blanks();
    auto argument = literal();
    bool right =
        argument && (kind->argument == FilterKind::Argument::any || argument->literal.is_number_unsigned() ||
                     (argument->literal.is_number_integer() && argument->literal.get<std::int64_t>() >= 0));
    if (!right)
      return wrong(
          fmt::format("{} wants {} after it", wanted,
                      kind->argument == FilterKind::Argument::number ? "a count" : "text or a number"));
    return made_of(Expression::Kind::filter, {std::move(value), std::move(argument)}, std::string(wanted));
  }

  ExpressionPtr primary() {
    blanks();
    if (sign("(")) {
      auto inner = disjunction();
      if (inner && !sign(")")) return wrong("expected )");
      return inner;
    }
    if (auto simple = literal()) return simple;
    if (!problem_.empty()) return nullptr;
    if (begins_name(peek())) return path();
    return wrong("expected a path such as steps.ID, text in quotes or a number");
  }
  ExpressionPtr literal() {
    if (peek() == '"' || peek() == '\'') return quoted();
    if (is_digit(peek()) || peek() == '-') return number();
    auto before = at_;
    auto known = name();
    if (known == "true" || known == "false") return made_of(Json(known == "true"));
    if (known == "null") return made_of(Json(nullptr));
    at_ = before;
    return nullptr;
  }
  ExpressionPtr quoted() {
    char quote = text_[at_++];
    std::string out;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      bool escaped = text_[at_] == '\\' && at_ + 1 < text_.size();
      if (escaped) ++at_;
      out += escaped && text_[at_] == 'n' ? '\n' : text_[at_];
    }
    if (at_ >= text_.size()) return wrong("text without its closing quote");
    ++at_;
    return made_of(Json(std::move(out)));
  }
  ExpressionPtr number() {
    double value = 0;
    std::int64_t whole = 0;
    const char *begin = text_.data() + at_, *end = text_.data() + text_.size();
    auto read = std::from_chars(begin, end, value);
    auto read_whole = std::from_chars(begin, end, whole);
    if (read.ec != std::errc{}) return wrong("expected a number");
    at_ = static_cast<std::size_t>(read.ptr - text_.data());
    bool is_whole = read_whole.ec == std::errc{} && read_whole.ptr == read.ptr;
    return is_whole ? made_of(Json(whole)) : made_of(Json(value));
  }
  ExpressionPtr path() {
    auto out = std::make_shared<Expression>();
    out->kind = Expression::Kind::path;
    out->path.emplace_back(std::string(name()));
    while (peek() == '.' || peek() == '[') {
      if (out->path.size() == kPathPartsMax) return wrong("too long a path");
      auto part = next_part();
      if (!part) return wrong("expected a name after the dot or a number between brackets");
      out->path.push_back(std::move(*part));
    }
    return out;
  }
  std::optional<PathPart> next_part() {
    if (text_[at_++] == '.') {
      auto member = name();
      if (member.empty()) return std::nullopt;
      return std::string(member);
    }
    std::size_t index = 0;
    auto read = std::from_chars(text_.data() + at_, text_.data() + text_.size(), index);
    if (read.ec != std::errc{}) return std::nullopt;
    at_ = static_cast<std::size_t>(read.ptr - text_.data());
    if (peek() != ']') return std::nullopt;
    ++at_;
    return index;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::string problem_;
};

std::unexpected<Error> malformed(const ExpressionParser& parser) {
  return fail(Errc::bad_config, parser.problem());
}

}  // namespace

const std::vector<FilterKind>& filter_kinds() {
  using Argument = FilterKind::Argument;
  static const std::vector<FilterKind> kinds = {{"json", Argument::none},   {"lines", Argument::none},
                                                {"length", Argument::none}, {"first", Argument::number},
                                                {"join", Argument::any},    {"default", Argument::any},
                                                {"data", Argument::none}};
  return kinds;
}

Result<ExpressionPtr> parse_expression(std::string_view text) {
  if (text.size() > kExpressionBytesMax)
    return fail(Errc::bad_config, fmt::format("longer than {} bytes", kExpressionBytesMax));
  ExpressionParser parser(text);
  auto whole = parser.disjunction();
  if (whole && !parser.at_end()) whole = parser.wrong("unexpected text");
  if (!whole) return malformed(parser);
  return whole;
}

Result<ExpressionPtr> parse_braced(std::string_view text, std::size_t& used) {
  ExpressionParser parser(text.substr(0, kExpressionBytesMax));
  auto whole = parser.disjunction();
  if (whole && !parser.sign("}}")) whole = parser.wrong("expected }}");
  if (!whole) return malformed(parser);
  used = parser.at();
  return whole;
}

void each_path(const Expression& expression, const std::function<void(const std::vector<PathPart>&)>& visit) {
  if (expression.kind == Expression::Kind::path) visit(expression.path);
  for (const auto& operand : expression.operands) each_path(*operand, visit);
}

std::string path_text(const std::vector<PathPart>& path) {
  std::string out;
  for (const auto& part : path) {
    if (const auto* name = std::get_if<std::string>(&part))
      out += (out.empty() ? "" : ".") + *name;
    else
      out += fmt::format("[{}]", std::get<std::size_t>(part));
  }
  return out;
}

}  // namespace troupe::declared
