// The public values of tools, budgets and child runs in msgpack, like runtime/protocol/values.hpp.
#pragma once

#include "runtime/protocol/values.hpp"

#include <troupe/budget.hpp>
#include <troupe/tool.hpp>
#include <troupe/workflow.hpp>

namespace troupe::protocol {

void write(Writer& writer, const Span& value);
void write(Writer& writer, const ToolOutput& value);
void write(Writer& writer, const Budget& value);
void write(Writer& writer, const ChildEnd& value);

void read(Reader& reader, Span& value);
void read(Reader& reader, ToolOutput& value);
void read(Reader& reader, Budget& value);
void read(Reader& reader, ChildEnd& value);

}  // namespace troupe::protocol
