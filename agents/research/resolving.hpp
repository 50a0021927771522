// Does a document still say what is quoted from it?
#pragma once

#include <troupe/task.hpp>
#include <troupe/tool.hpp>
#include <troupe/workflow.hpp>

#include <string>
#include <string_view>

namespace troupe::research {

/// The tool that shows stored documents by their bytes.
inline constexpr std::string_view kVerifyTool = "open_document";

/// Opens `span` with `open` (recorded as step "verify/DOC:START-END") and compares: true when the same
/// document holds just the bytes `quote` there, for whom the tool reads. False for a document that is hidden,
/// gone or changed. Fails as the tool does when it cannot be asked at all.
Task<Result<bool>> still_says(Workflow& wf, ToolPtr open, Span span, std::string quote);

}  // namespace troupe::research
