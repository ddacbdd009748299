// token create, list, revoke.
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "ctl/session.h"

namespace siegel::ctl {
namespace {

struct Words {
  std::string role, purposes, types, expires, bulk_until, label, subject, id;
  bool local = false;
};

// "12h", "30d", "45m" from now, or a time of RFC 3339; nothing if it is neither.
std::optional<std::string> end_of(const std::string& text) {
  if (const auto time = parse_rfc3339(text)) return to_rfc3339(*time);
  constexpr std::uint64_t kMinutesMax = 100ULL * 366 * 24 * 60;
  if (text.size() < 2) return {};
  const auto count = parse_u64(std::string_view(text).substr(0, text.size() - 1));
  const std::uint64_t minutes = text.back() == 'm' ? 1 : text.back() == 'h' ? 60 : text.back() == 'd' ? 24 * 60 : 0;
  if (!count || minutes == 0 || *count == 0 || *count > kMinutesMax / minutes) return {};
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  return to_rfc3339(TimeMs(static_cast<std::uint64_t>(now.count()) + *count * minutes * 60'000));
}

int create(const Session& session, const Words& words) {
  const auto purposes = split(words.purposes, ','), types = split(words.types, ',');
  if (words.local) {
    if (!session.local.token_create)
      return session.out.usage(session.text("--local kann dieses Programm nicht.", "This program cannot do --local."));
    return session.local.token_create(
        {session.global, words.role, words.expires, words.bulk_until, words.label, purposes, types});
  }
  nlohmann::json body = {{"role", words.role}, {"label", words.label}};
  if (purposes.empty()) {
    body["all_purposes"] = true;
  } else {
    body["purposes"] = purposes;
  }
  if (types.empty()) {
    body["all_types"] = true;
  } else {
    body["types"] = types;
  }
  struct End {
    const char *flag, *member;
    const std::string& text;
  };
  for (const auto& [flag, member, text] :
       {End{"--expires", "expires_at", words.expires}, End{"--bulk-until", "bulk_until", words.bulk_until}}) {
    if (text.empty()) continue;
    const auto at = end_of(text);
    if (!at)
      return session.out.usage(
          flag + std::string(session.text(" ist eine Dauer wie 12h, 30d, 45m oder eine Zeit nach RFC 3339.",
                                          " is a span like 12h, 30d, 45m or a time of RFC 3339.")));
    body[member] = *at;
  }
  if (!words.subject.empty()) body["subject"] = words.subject;
  return session.change({"POST", "/v1/tokens", body.dump(), {}});
}

// What a token may be used for; without names it is all of them.
nlohmann::json names_or_all(const Session& session, const nlohmann::json& token, const char* names, const char* all) {
  const auto flag = token.find(all);
  if (flag != token.end() && *flag == true) return session.text("alle", "all");
  std::string out;
  for (const auto& name : token.value(names, nlohmann::json::array())) out += (out.empty() ? "" : ",") + shown(name);
  return out;
}

int list(const Session& session) {
  const Request request{"GET", "/v1/tokens", "", {}};
  const std::vector<std::string> columns{"token_id", "role",       "label",      "purposes",
                                         "types",    "expires_at", "bulk_until", "revoked"};
  if (session.out.json()) return session.list(request, columns);
  std::vector<nlohmann::json> rows;
  const int code = session.each(request, std::nullopt, [&](const nlohmann::json& token) {
    auto& row = rows.emplace_back(token);
    row["purposes"] = names_or_all(session, token, "purposes", "all_purposes");
    row["types"] = names_or_all(session, token, "types", "all_types");
  });
  if (code == exit_done) session.out.table(columns, rows);
  return code;
}

}  // namespace

void add_tokens(CLI::App& app, Session& session) {
  auto words = std::make_shared<Words>();
  auto* group = add_group(app, "token", session.text("Zugangsschlüssel", "Access tokens"));
  auto* maker =
      add_command(*group, session, "create",
                  session.text("Ausstellen; der Schlüssel wird einmal gezeigt", "Issue one; it is shown once"),
                  "  siegel token create --role editor --purposes customer-care --types contacts --expires 12h\n"
                  "  siegel token create --role editor --purposes customer-care --bulk-until 2h --expires 2h\n"
                  "  siegel --data ./siegel-data token create --local --role admin --label desk",
                  [&session, words] { return create(session, *words); });
  maker->add_option("--role", words->role, "admin, privacy_officer, editor, sender, auditor, consumer")->required();
  maker->add_option("--purposes", words->purposes, session.text("a,b; ohne: alle", "a,b; without: all"));
  maker->add_option("--types", words->types, session.text("a,b; ohne: alle", "a,b; without: all"));
  maker->add_option("--expires", words->expires,
                    session.text("12h, 30d, 45m; ohne: nie", "12h, 30d, 45m; without: never"));
  maker->add_option("--bulk-until", words->bulk_until,
                    session.text("Ausgabe im Ganzen (`export --type`) erlaubt, so lange; ohne: nicht",
                                 "bulk export (`export --type`) allowed for so long; without: not at all"));
  maker->add_option("--label", words->label, session.text("Bezeichnung", "Label"));
  maker->add_option("--subject", words->subject,
                    session.text("Person, für die der Schlüssel gilt", "Person the token is for"));
  if (session.local.token_create)
    maker->add_flag(
        "--local", words->local,
        session.text("im Datenverzeichnis, bei ruhendem Server", "in the data directory, with the server stopped"));
  add_command(*group, session, "list", session.text("Alle zeigen", "Show all"), "  siegel token list",
              [&session] { return list(session); });
  auto* revoke = add_command(
      *group, session, "revoke", session.text("Sperren", "Revoke"), "  siegel token revoke tk_…", [&session, words] {
        return session.change({"DELETE", "/v1/tokens/" + segment(words->id), "", {}, Thing::token, ""});
      });
  revoke
      ->add_option("ID", words->id,
                   session.text("tk_…, wie `siegel token list` ihn zeigt", "tk_…, as `siegel token list` shows it"))
      ->required();
}

}  // namespace siegel::ctl
