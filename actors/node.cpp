// The public door: configuration values and the node, over what stands behind it.
#include <troupe/node.hpp>

#include "actors/node_impl.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <future>

namespace troupe {

Config::Config(config::Config values) : values_(std::make_shared<const config::Config>(std::move(values))) {}

Result<Config> Config::load(const std::string& path) {
  auto values = config::load_config(path);
  if (!values) return std::unexpected(values.error());
  return Config(std::move(*values));
}

Result<Config> Config::parse(std::string_view yaml, const std::string& name) {
  auto values = config::parse_config(yaml, name);
  if (!values) return std::unexpected(values.error());
  return Config(std::move(*values));
}

Config Config::demo() { return Config(config::demo_config()); }

Config Config::with_state_dir(std::string folder) const {
  auto values = *values_;
  values.node.state_dir = std::move(folder);
  return Config(std::move(values));
}

Config Config::with_node(std::string id, std::string region) const {
  auto values = *values_;
  for (auto& endpoint : values.endpoints.list)
    if (!id.empty() && endpoint.home == values.node.id) endpoint.home = id;
  if (!id.empty()) values.node.id = std::move(id);
  if (!region.empty()) values.node.region = std::move(region);
  return Config(std::move(values));
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() { stop(); }

Result<std::unique_ptr<Node>> Node::start(const Config& config) {
  auto impl = std::make_unique<Impl>(config);
  if (auto started = impl->start(); !started) {
    impl->stop();
    return std::unexpected(started.error());
  }
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

Result<void> Node::reload(const Config& config) {
  auto changes = impl_->reload(config);
  return changes ? Result<void>() : std::unexpected(changes.error());
}
void Node::set_config_reader(std::function<Result<Config>()> read) { impl_->read_with(std::move(read)); }
Result<void> Node::reload() {
  auto changes = impl_->read_again(false);
  return changes ? Result<void>() : std::unexpected(changes.error());
}

void Node::add_workflow(std::string name, WorkflowFunction function) {
  impl_->runs().add({std::move(name), std::move(function), {}, {}});
}
void Node::add_workflow(WorkflowType type) { impl_->runs().add(std::move(type)); }

Result<std::string> Node::submit(RunSpec spec, Watch watch) {
  return impl_->runs().submit(std::move(spec), std::move(watch));
}

RunReport Node::run(RunSpec spec, std::function<void(const RunProgress&)> on_progress,
                    std::function<void(const LiveText&)> on_text) {
  auto ended = std::make_shared<std::promise<RunReport>>();
  auto future = ended->get_future();
  auto run_id = spec.run_id;
  Watch watch{std::move(on_progress), [ended](RunReport report) { ended->set_value(std::move(report)); },
              std::move(on_text)};
  auto submitted = submit(std::move(spec), std::move(watch));
  if (submitted) return future.get();
  RunReport report;
  report.run_id = run_id;
  report.end = RunEnd::failed;
  report.error = submitted.error();
  return report;
}

Result<std::size_t> Node::resume_runs() { return impl_->resume_runs(); }
void Node::interrupt() { impl_->interrupt(); }

Result<JsonText> Node::ask(const std::string& verb, const JsonText& input) {
  auto question = parse_json(input.text);
  if (!question) return std::unexpected(question.error());
  auto told = std::make_shared<std::promise<Result<std::string>>>();
  auto future = told->get_future();
  actors::answer_question(impl_->desk(), verb, *question,
                          [told](Result<std::string> json) { told->set_value(std::move(json)); });
  auto json = future.get();
  if (!json) return std::unexpected(json.error());
  return JsonText{std::move(*json)};
}

std::string Node::address() const { return impl_->address(); }
std::string Node::simulator_url() const { return impl_->simulator_url(); }
void Node::stop() { impl_->stop(); }

}  // namespace troupe
