// What the native API's handlers work on. Ownership: the runtime owns everything; handlers borrow it for its lifetime.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/api/page_cache.h"
#include "daemon/domain/backup.h"
#include "daemon/domain/clearance.h"
#include "daemon/domain/compliance.h"
#include "daemon/domain/decisions.h"
#include "daemon/domain/delivery.h"
#include "daemon/domain/erasure.h"
#include "daemon/domain/gc.h"
#include "daemon/domain/gitops.h"
#include "daemon/domain/identity.h"
#include "daemon/domain/integrity.h"
#include "daemon/domain/lineage.h"
#include "daemon/domain/policy_sources.h"
#include "daemon/domain/promotion.h"
#include "daemon/domain/provenance.h"
#include "daemon/domain/registry.h"
#include "daemon/domain/retention.h"
#include "daemon/domain/reveal.h"
#include "daemon/domain/rollouts.h"
#include "daemon/domain/signatures.h"
#include "daemon/domain/signing_keys.h"
#include "daemon/events/watch.h"
#include "daemon/events/webhooks.h"

namespace mlops::api {

struct Services {
  domain::Identity& identity;
  domain::Registry& registry;
  domain::Compliance& compliance;
  domain::Clearance& clearance;
  domain::Reveals& reveals;
  domain::Promotion& promotion;
  domain::Signatures& signatures;
  domain::SigningKeys& signing_keys;
  domain::Rollouts& rollouts;
  domain::Decisions& decisions;
  domain::PolicySources& sources;
  domain::Provenance& provenance;
  domain::Gitops& gitops;
  domain::Lineage& lineage;
  domain::Integrity& integrity;
  domain::Gc& gc;
  domain::Retention& retention;
  domain::Erasure& erasure;
  domain::Backups& backups;
  events::Webhooks& webhooks;
  events::WatchSeats& watch_seats;
  domain::Delivery& delivery;
  cas::ContentStore& content;
  meta::Store& store;
  std::function<bool()> is_ready;
  std::function<std::string()> metrics_text;
  std::string event_source;  // of CloudEvents
  std::shared_ptr<PageCache> version_pages = std::make_shared<PageCache>();
  std::size_t json_limit_bytes = 4u << 20;
  std::size_t upload_limit_bytes = std::size_t{1} << 40;
};

}  // namespace mlops::api
