// Marks into citations, passages into sentences.
#include "agents/search/grounding.hpp"

#include "agents/summary/marks.hpp"

#include <algorithm>

namespace troupe::search {
namespace {

constexpr std::size_t kStatementBytesMax = 1200;

research::Finding whole_passage(const research::Passage& passage) {
  research::Finding out;
  out.quote = passage.text;
  out.title = passage.title;
  out.url = passage.url;
  out.span = passage.span;
  return out;
}

// The sentence of a passage that bears the claim out alone, with its title; else all of it.
Citation narrowed(const std::string& claim, const research::Passage& passage, std::size_t number) {
  Citation out{number, passage.span, passage.text};
  double most = research::kClaimSupport;
  for (auto sentence : research::sentences_of(passage.text)) {
    auto text = passage.text.substr(sentence.start, sentence.end - sentence.start);
    auto held = research::support(claim, passage.title + " " + text);
    // What is in the title anyway is no sign of a sentence.
    bool speaks = research::coverage(claim, text) > 0;
    if (held < most || !speaks || (held == most && out.quote.size() < passage.text.size())) continue;
    most = held;
    out.quote = std::move(text);
    out.span = {passage.span.doc, passage.span.start + sentence.start, passage.span.start + sentence.end};
  }
  return out;
}

struct MarkedText {
  std::vector<research::Claim> claims;
  std::vector<research::Mark> marks;
};

// As the citation check wants it: claims one behind the other, each mark at the end of its own.
MarkedText marked_text(const std::vector<summary::Statement>& statements) {
  MarkedText out;
  std::size_t at = 0;
  for (const auto& statement : statements) {
    if (research::telling_words(statement.text).empty()) continue;
    research::Claim claim{{at, at + statement.text.size()}, statement.text, {}};
    if (!statement.marks.empty()) out.marks.push_back({claim.at.end, statement.marks});
    at = claim.at.end + 1;
    out.claims.push_back(std::move(claim));
  }
  return out;
}

}  // namespace

Grounding ground(std::string_view answer, std::span<const research::Passage> sources,
                 std::size_t statements_max) {
  summary::StatementLimits limits{.statements_max = statements_max, .text_bytes_max = kStatementBytesMax};
  auto statements = summary::read_statements(answer, sources.size(), limits);
  Grounding out;
  for (const auto& statement : statements) out.check.fake += statement.bad_marks;
  auto text = marked_text(statements);
  std::vector<research::Finding> findings;
  for (const auto& source : sources) findings.push_back(whole_passage(source));
  research::settle_citations(text.claims, text.marks, findings, out.check);
  for (auto& claim : text.claims) {
    if (claim.cited.empty()) {
      ++out.withdrawn;
      continue;
    }
    GroundedClaim kept{claim.text, {}};
    for (auto number : claim.cited)
      kept.citations.push_back(narrowed(claim.text, sources[number - 1], number));
    out.claims.push_back(std::move(kept));
  }
  return out;
}

}  // namespace troupe::search
