#include "daemon/events/cloud_event.h"

#include <fmt/format.h>

#include <array>

namespace mlops::events {
namespace {

constexpr std::array<std::string_view, 2> kModeWords{"structured", "binary"};

void add_text(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

Json data_of(const meta::Event& event) {
  Json data = {{"action", event.action}, {"target", event.target}, {"actor", event.actor}};
  add_text(data, "reason", event.reason);
  add_text(data, "environment", event.environment);
  add_text(data, "policy_digest", event.policy_digest);
  add_text(data, "deployment", event.deployment_id);
  if (!event.plan_id.empty()) data["plan"] = {{"id", event.plan_id}, {"digest", event.plan_digest}};
  if (event.members.empty()) return data;
  Json members = Json::array();
  for (const auto& member : event.members) {
    members.push_back({{"ref", member.ref}, {"kind", member.kind}, {"digest", member.digest}});
  }
  data["members"] = std::move(members);
  return data;
}

}  // namespace

std::string_view to_word(Mode mode) {
  return kModeWords[static_cast<std::size_t>(mode)];
}

std::optional<Mode> mode_from_word(std::string_view word) {
  for (std::size_t i = 0; i < kModeWords.size(); ++i) {
    if (kModeWords[i] == word) return static_cast<Mode>(i);
  }
  return std::nullopt;
}

std::string type_of(const meta::Event& event) {
  return fmt::format("mlops.{}.v1", event.action);
}

Json cloud_event(const meta::Event& event, std::string_view source) {
  Json out = {{"specversion", "1.0"},
              {"id", event.id},
              {"source", source},
              {"type", type_of(event)},
              {"time", event.at},
              {"sequence", fmt::format("{:020}", event.seq)},
              {"datacontenttype", "application/json"},
              {"data", data_of(event)}};
  add_text(out, "subject", event.subject);
  return out;
}

Message message_of(const meta::Event& event, std::string_view source, Mode mode) {
  const auto whole = cloud_event(event, source);
  if (mode == Mode::kStructured) return {"application/cloudevents+json", canonical_dump(whole), {}};
  Message message{"application/json", canonical_dump(whole.at("data")), {}};
  for (const auto& [name, value] : whole.items()) {
    if (name == "data" || name == "datacontenttype") continue;
    message.headers["ce-" + name] = header_text(value.get<std::string>());
  }
  return message;
}

std::string header_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c > ' ' && c < 0x7f && c != '"' && c != '%') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<std::uint8_t>(c));
    }
  }
  return out;
}

}  // namespace mlops::events
