// The citation pass (MECHANISMS M10): marks may be added to a report and nothing else, and each must hold.
#pragma once

#include "agents/research/evidence.hpp"
#include "agents/research/words.hpp"

#include <troupe/error.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::research {

/// A sentence of the report that states something: headings, list marks and blanks are not part of it.
struct Claim {
  Stretch at;
  std::string text;
  /// Numbers of sources, from 1, each once, as the check left them.
  std::vector<std::size_t> cited;
  /// A source of it has gone (J5): it is nobody's to read any more, not even as unsupported.
  bool withdrawn = false;
};
/// At most `kClaimsMax`, further ones are one claim with the last. Pure, as all here.
std::vector<Claim> claims_of(std::string_view report);
inline constexpr std::size_t kClaimsMax = 200;

/// A report no sentence of which looks like a mark: "[12]" becomes "(12)".
std::string without_marks(std::string_view report);

/// Where a marked report says which numbers: `at` is a place in the plain report.
struct Mark {
  std::size_t at = 0;
  std::vector<std::size_t> numbers;
};
/// The marks of `marked`, if it is `plain` byte for byte apart from "[n]", "[n, m]" and one blank before
/// them. invalid_input saying at which byte it departs. The numbers are as written: any.
Result<std::vector<Mark>> read_marks(std::string_view plain, std::string_view marked);

/// What the check did. fake: numbers of no source; unsupported: marks on a source that does not bear its
/// claim out, alone or with the others; added: citations the rule put where the pass had left none that held.
struct CitationCheck {
  std::size_t fake = 0, unsupported = 0, added = 0;
  std::size_t claims_without = 0;
};

/// How much of a claim its citations together must hold, names and numbers all.
inline constexpr double kClaimSupport = 0.6;

/// Gives each claim the citations that hold: marks inside it whose number exists and whose source shares a
/// fifth of its words, if together they bear it out; else the fewest sources (at most three) that do, by
/// rule; else none.
void settle_citations(std::vector<Claim>& claims, std::span<const Mark> marks,
                      std::span<const Finding> sources, CitationCheck& check);

/// As it stands in the report: with " [n]" for each citation, or "(unsupported)".
std::string printed(const Claim& claim);
/// Without list marks that have lost their text and headings over nothing.
std::string tidied_report(const std::string& report);

/// The report with " [n]" after each claim that has citations. Claims without are taken out with their line,
/// if nothing else is on it, or, unless they were withdrawn, marked "(unsupported)". Headings that head
/// nothing any more go, too.
std::string write_report(std::string_view report, std::span<const Claim> claims, bool mark_unsupported);

}  // namespace troupe::research
