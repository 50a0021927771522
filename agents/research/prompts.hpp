// What the models are told, and the shapes they answer in. Documents reach them as numbered data only.
#pragma once

#include "agents/research/contract.hpp"
#include "agents/research/effort.hpp"
#include "agents/research/evidence.hpp"
#include "agents/research/input.hpp"

#include <troupe/request.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::research {

/// Names of the answer shapes: what a simulated model knows the task by.
inline constexpr std::string_view kPlanShape = "research_plan";
inline constexpr std::string_view kFindingsShape = "research_findings";
inline constexpr std::string_view kReviewShape = "research_review";
inline constexpr std::string_view kReportShape = "research_report";
inline constexpr std::string_view kCritiqueShape = "research_critique";
inline constexpr std::string_view kCitationsShape = "research_citations";

/// Text that cannot pass for the end of the data it stands in: one line, source tags made harmless.
std::string neutral(std::string_view text);
/// "[S3] Title | text" lines between <sources> tags.
std::string source_line(std::string_view id, std::string_view title, std::string_view text);
std::string as_sources(std::span<const std::string> lines);

/// Asks for approaches and tasks. The answer has kind, approach and tasks (see delegation_from).
CompletionRequest plan_request(const ResearchInput& input, const Effort& effort,
                               std::span<const ToolSpec> tools);
/// A subagent's turn without its context: rules and tools only.
CompletionRequest agent_request(const ResearchInput& input, const Delegation& task,
                                std::vector<ToolSpec> tools);
/// Question, plan and task: what is shown in every turn.
std::string agent_brief(const ResearchInput& input, const Delegation& task, const std::string& plan,
                        std::span<const Finding> known);
/// Asks for findings with their quotes from the passages shown (as many as fit, in the given order).
CompletionRequest findings_request(const ResearchInput& input, const Delegation& task,
                                   const std::string& plan, std::span<const Passage> passages);
/// Asks whether the findings answer the question, and for tasks that close the gaps.
CompletionRequest review_request(const ResearchInput& input, const std::string& plan,
                                 std::span<const Finding> findings, std::span<const ToolSpec> tools);
/// Asks for the answer and the report, without citations.
CompletionRequest report_request(const ResearchInput& input, const std::string& plan,
                                 std::span<const Finding> findings);
/// Asks, claim by claim, whether the sources bear it out.
CompletionRequest critique_request(const ResearchInput& input, std::span<const std::string> claims,
                                   std::span<const Finding> findings);
/// Asks for the same report, byte for byte, with [n] marks; `complaint` says what was wrong before, if
/// anything.
CompletionRequest citations_request(const ResearchInput& input, const std::string& report,
                                    std::span<const Finding> findings, const std::string& complaint);

}  // namespace troupe::research
