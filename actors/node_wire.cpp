// What a node hears from others, and what it asks them.
#include "actors/desk_principal.hpp"
#include "actors/node_impl.hpp"

#include "actors/wire.hpp"
#include "runtime/base/log.hpp"
#include "runtime/transport/mesh.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace troupe {

void Node::Impl::on_peer_up(const std::string& peer, std::uint64_t incarnation) {
  heard({[this, fact = actors::LinkChanged{peer, true, incarnation, {}}] { link_changed(fact); }});
}

void Node::Impl::on_peer_down(const std::string& peer, const std::string& reason) {
  heard({[this, fact = actors::LinkChanged{peer, false, 0, reason}] { link_changed(fact); }});
}

void Node::Impl::on_message(transport::Inbound message) {
  heard(
      {[this, shared = std::make_shared<const transport::Inbound>(std::move(message))] { arrived(shared); }});
}

void Node::Impl::heard(std::function<void()> work) {
  std::unique_lock lock(early_mutex_);
  if (!cast_ready_) return early_.push_back(std::move(work));
  lock.unlock();
  work();
}

void Node::Impl::link_changed(const actors::LinkChanged& fact) {
  auto peers = board_->peers.load();
  auto it = peers->find(fact.peer);
  if (it == peers->end()) return;
  caf::anon_send(it->second, fact);
  if (owners_) caf::anon_send(owners_, fact);
}

void Node::Impl::arrived(const std::shared_ptr<const transport::Inbound>& message) {
  if (message->kind == static_cast<std::uint32_t>(actors::WireKind::ask)) {
    // Answers may read the journal: not on the gateway's thread.
    system_->spawn([this, message](caf::event_based_actor*) { on_ask(*message); });
    return;
  }
  // Whoever may ask is no node: it has counted nothing, owns nothing and orders by asking.
  if (message->peer.starts_with(transport::kClientPrefix))
    return log::warn("node", message->peer + " sent what only nodes send; ignored");
  if (control_room_.heard(*message)) return;
  if (owners_ && message->kind == static_cast<std::uint32_t>(actors::WireKind::claims))
    return caf::anon_send(owners_, actors::OwnersHeard{message->peer, message->body});
  auto peers = board_->peers.load();
  if (auto it = peers->find(message->peer); it != peers->end())
    caf::anon_send(it->second, actors::FromPeer{message});
}

void Node::Impl::on_ask(const transport::Inbound& message) {
  auto ask = actors::body_from<actors::AskBody>(message.body);
  if (!ask) return log::warn("node", message.peer + " asked something malformed; ignored");
  auto reply = [this, peer = message.peer, id = ask->id](Result<std::string> json) {
    transport::Outbound out;
    out.kind = static_cast<std::uint32_t>(actors::WireKind::told);
    out.body = actors::body_bytes(actors::ToldBody{id, std::move(json)});
    if (auto sent = gateway_->send(peer, std::move(out)); !sent)
      log::debug("node", "an answer was not sent: " + sent.error().what);
  };
  auto question = parse_json(ask->json);
  if (question)
    if (auto principal = actors::principal_of(values().cluster, message.peer))
      question = actors::asked_by(*principal, ask->verb, std::move(*question), *journal_);
  if (!question) return reply(std::unexpected(question.error()));
  actors::answer_question(desk_, ask->verb, *question, reply);
}

// The answer comes back as a `told` that nobody waits for.
Result<void> Node::Impl::pass_on(const std::string& peer, const std::string& verb, const Json& input) {
  if (!gateway_) return fail(Errc::unsupported, "this node has no peers");
  transport::Outbound out;
  out.kind = static_cast<std::uint32_t>(actors::WireKind::ask);
  out.body = actors::body_bytes(actors::AskBody{0, verb, dump_json(input)});
  return gateway_->send(peer, std::move(out));
}

}  // namespace troupe
