// What a run of a declared workflow is given: checked, and files read once and recorded.
#pragma once

#include "agents/declared/declared.hpp"

#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

#include <string>
#include <string_view>

namespace troupe::declared {

/// Bytes of one input file: what is read is recorded, so that a resumed run sees what the run began with.
inline constexpr std::size_t kInputFileBytesMax = 4u << 20;

/// `input` is an object with a member for each input. invalid_input names one that is missing, not declared
/// or of another kind, and the line of a file that is no JSON; input_missing a file that cannot be read. The
/// keys of the steps are "inputs/NAME".
Task<Result<Json>> read_run_inputs(Workflow& wf, const Declared& declared, JsonText input);

/// The value of a file's text; `path` is for messages.
Result<Json> input_of_file(InputKind kind, std::string_view text, const std::string& path);

}  // namespace troupe::declared
