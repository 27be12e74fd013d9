"""What the explored server knows of: services, people, alerts, and whatever answers tell. Ids and
values in requests are taken from here often enough that handlers are reached."""

import datetime
import re

import requests

import tokens

CLIENTS = {
    "notify-admin": "the secret of notify-admin",
    "govuk-alerts": "the secret of govuk-alerts",
    "govuk-alerts-publish": "the secret of govuk-alerts-publish",
}
PASSWORD = "seventeen quiet lanterns"
ADDRESS_DOMAIN = "agency.gov.uk"
RING = [[53.10, 0.24], [53.11, 0.24], [53.11, 0.26], [53.10, 0.26], [53.10, 0.24]]
AREAS = {"names": ["Riverside"], "ids": ["riverside"], "simple_polygons": [RING]}
WKT = "POLYGON((0.24 53.10, 0.24 53.11, 0.26 53.11, 0.24 53.10))"
ALL_PERMISSIONS = [
    {"permission": word}
    for word in (
        "manage_users",
        "manage_templates",
        "manage_api_keys",
        "create_broadcasts",
        "approve_broadcasts",
        "cancel_broadcasts",
        "reject_broadcasts",
    )
]
CAP = """<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>contract-{number}</identifier><sender>us@agency.gov.uk</sender>
<sent>{sent}</sent><status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>{references}
<info><language>en-GB</language><category>Met</category><event>Flood</event>
<urgency>Immediate</urgency><severity>Severe</severity><certainty>Likely</certainty>
<description>The river is rising. Go to high ground.</description>
<area><areaDesc>Riverside</areaDesc>
<polygon>53.10,0.24 53.11,0.24 53.11,0.26 53.10,0.26 53.10,0.24</polygon></area></info></alert>"""
# Under which name a path knows what a body calls so.
KINDS = {
    "service_id": "service",
    "user_id": "user",
    "created_by": "author",
    "updated_by": "author",
    "from_user": "author",
    "invited_by": "author",
    "reviewed_by": "approver",
    "approved_by": "administrator",
    "template_id": "template",
    "templates": "template",
    "parent_folder_id": "folder",
    "parent_id": "folder",
    "folders": "folder",
    "folder_permissions": "folder",
    "users_with_permission": "user",
    "webauthn_credential_id": "credential",
}


class World:
    """Makes what the requests are about. `ids` and `values` are lists of what may be named."""

    def __init__(self, server):
        self.server = server
        self.session = requests.Session()
        # No proxy stands before this machine.
        self.session.trust_env = False
        self.number = 0
        self.ids, self.values = {}, {}
        create = ("user", "create", "--platform-admin", "--name")
        self.boss = server.command(*create, "Bo", "--email", f"bo@{ADDRESS_DOMAIN}")["id"]
        capable = ("user", "create", "--platform-admin-capable", "--name")
        self.capable = server.command(*capable, "Kim", "--email", f"kim@{ADDRESS_DOMAIN}")["id"]
        name = ("--name", "Flood team", "--mode", "live", "--channel", "severe")
        self.service = server.command("service", "create", *name)["id"]
        self.author = self.make_person(self.service)
        self.approver = self.make_person(self.service)
        key = ("key", "create", "--service", self.service, "--type", "normal", "--name", "a key")
        self.secret = server.command(*key)["secret"]
        member = {"permissions": ALL_PERMISSIONS}
        self.post(f"/user/{self.author}/service/{self.service}/permission", member)

    def make_person(self, service):
        self.number += 1
        name = ("user", "create", "--name", f"Person {self.number}", "--password-stdin")
        address = f"person{self.number}@{ADDRESS_DOMAIN}"
        more = ("--email", address, "--mobile", "+447700900123", "--service", service)
        return self.server.command(*name, *more, entering=PASSWORD + "\n")["id"]

    def sign(self, scheme, request, person=None):
        """The token of a caller of that kind for this request."""
        if scheme == "person":
            body = request.body or b""
            body = body.encode() if isinstance(body, str) else body
            client = "notify-admin"
            person = person or self.author
            target = request.path_url
            return tokens.of_person(client, CLIENTS[client], person, request.method, target, body)
        if scheme == "service":
            return tokens.of_issuer(self.service, self.secret)
        return tokens.of_issuer(scheme, CLIENTS[scheme])

    def post(self, path, body=None, client="notify-admin"):
        """Sets something up. That it succeeds is part of the contract too."""
        token = tokens.of_issuer(client, CLIENTS[client])
        headers = {"Authorization": f"Bearer {token}"}
        answer = self.session.post(self.server.url + path, json=body, headers=headers, timeout=15)
        if not answer.ok:
            raise RuntimeError(f"POST {path} of {body} was answered {answer.status_code}: {answer.text}")
        return answer.json() if answer.text else None

    def renew(self, path):
        """New things for the requests of one operation: what it removes is not missed later."""
        self.number += 1
        number, author = self.number, self.author
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        service = self.service
        if not path.startswith(("/v2", "/v3")):
            service = self.make_service(number)
        alerts = [self.make_alert(service, status) for status in ("draft", "pending", "live")]
        template = self.post(
            f"/service/{service}/template",
            {
                "reference": f"Template {number}",
                "content": "The river is rising",
                "template_type": "broadcast",
                "service": service,
                "created_by": author,
            },
        )["data"]["id"]
        folders = [
            self.post(f"/service/{service}/template-folder", {"name": f"Folder {n}"})["data"]["id"]
            for n in range(2)
        ]
        self.ids = {
            "service": [service],
            "author": [author],
            "approver": [self.approver],
            "administrator": [self.boss],
            "user": [author],
            "alert": alerts,
            "template": [template],
            "folder": folders,
        }
        self.values = {
            "areas": [AREAS],
            "starts_at": [None],
            "finishes_at": [(now + datetime.timedelta(hours=2)).isoformat()],
            "content": ["The river is rising", "Go to high ground now"],
            "reference": [f"Reference {number}"],
            "name": [f"Name {number}", f"Other name {number}"],
            "notes": ["A note"],
            "version": [1],
            "days": [1],
            "limit": [1, 100],
            "domain": [ADDRESS_DOMAIN],
            "domains": [[ADDRESS_DOMAIN]],
            "service_name": ["Service"],
            "feature_toggle_name": ["x"],
            "invite_link_host": ["https://alerts.example"],
            "admin_base_url": ["https://alerts.example"],
            "email_auth_link_host": ["https://alerts.example"],
            "mobile_number": ["+447700900123"],
            "to": [None],
            "permissions": ["create_broadcasts,manage_templates"],
            "password": [PASSWORD],
            "_password": ["forty calm violins"],
            "_oldpassword": [PASSWORD],
            "_token": [None],
            "state": ["active"],
            "provider_restriction": [["all"], ["ee"]],
            "cap": [self.write_cap()],
        }
        self.add_people(path, service)

    def make_service(self, number):
        body = {"name": f"Service {number}", "user_id": self.author, "created_by": self.author}
        service = self.post("/service", body)["data"]["id"]
        settings = {
            "broadcast_channel": "severe",
            "service_mode": "live",
            "provider_restriction": ["all"],
            "created_by": self.boss,
        }
        self.post(f"/service/{service}/set-as-broadcast-service", settings)
        member = {"permissions": ALL_PERMISSIONS}
        self.post(f"/user/{self.author}/service/{service}/permission", member)
        self.post(f"/service/{service}/users/{self.approver}", member)
        return service

    def make_alert(self, service, status):
        body = {
            "service_id": service,
            "created_by": self.author,
            "reference": f"Alert {self.number}",
            "content": "The river is rising. Go to high ground.",
            "areas": AREAS,
        }
        path = f"/service/{service}/broadcast-message"
        alert = self.post(path, body)["id"]
        if status != "draft":
            asked = {"status": "pending-approval", "created_by": self.author}
            self.post(f"{path}/{alert}/status", asked)
        if status == "live":
            asked = {"status": "broadcasting", "created_by": self.approver}
            self.post(f"{path}/{alert}/status", asked)
        return alert

    def write_cap(self):
        self.number += 1
        sent = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S-00:00")
        return CAP.format(number=self.number, sent=sent, kind="Alert", references="")

    def add_people(self, path, service):
        """A person, an organisation and the rest, where the path is about such."""
        number = self.number
        address = f"new{number}@{ADDRESS_DOMAIN}"
        self.values |= {
            "email": [address],
            "email_address": [f"other{number}@{ADDRESS_DOMAIN}"],
        }
        if "user" in path:
            self.add_person(address, service)
        if "organisation" in path:
            body = {"name": f"Organisation {number}", "domains": [f"agency{number}.gov.uk"]}
            organisation = self.post("/organisations", body)["id"]
            self.ids["organisation"] = [organisation]
            self.post(f"/organisations/{organisation}/service", {"service_id": service})
            self.post(f"/organisations/{organisation}/users/{self.author}")
        if "invit" in path:
            self.add_invitation(path, service)
        if "api-key" in path:
            body = {"name": f"Key {number}", "created_by": self.author, "key_type": "test"}
            self.post(f"/service/{service}/api-key", body)
            keys = self.ask(f"/service/{service}/api-keys")["apiKeys"]
            self.ids["key"] = [key["id"] for key in keys]
        if "admin-action" in path:
            body = {"created_by": self.author, "action_type": "x", "service_id": service}
            body["action_data"] = {"of": number}
            action = self.post("/admin-action", body)["id"]
            self.ids |= {"action": [action], "approver": [self.boss]}
        if "publish" in path:
            body = {"task_id": f"task {number}"}
            client = "govuk-alerts-publish"
            task = self.post("/publish_task_progress/add-publish", body, client)
            self.ids["id"] = [task["id"]]
        if path.endswith(("/version/{item}", "/edit-reason/{item}")):
            self.add_item(path, service)

    def add_person(self, address, service):
        body = {
            "name": "New person",
            "email_address": address,
            "password": PASSWORD,
            "mobile_number": "+447700900123",
            "auth_type": "sms_auth",
        }
        person = self.post("/user", body)["data"]["id"]
        self.post(f"/user/{person}/activate")
        self.post(f"/service/{service}/users/{person}", {"permissions": ALL_PERMISSIONS})
        key = {"name": "k", "credential_data": "data", "registration_response": "said"}
        made = [self.post(f"/user/{person}/webauthn", key) for _ in range(2)]
        self.ids["user"] = [person]
        self.ids["credential"] = [one["data"]["id"] for one in made]

    def add_invitation(self, path, service):
        address = f"guest{self.number}@{ADDRESS_DOMAIN}"
        host = {"invite_link_host": "https://alerts.example", "email_address": address}
        if "organisation" in path:
            of = self.ids["organisation"][0]
            body = {"invited_by": self.author, **host}
            invitation = self.post(f"/organisation/{of}/invite", body)
        else:
            body = {"from_user": self.author, "permissions": "create_broadcasts", **host}
            invitation = self.post(f"/service/{service}/invite", {"service": service, **body})
        self.ids["invitation"] = [invitation["data"]["id"]]

    def add_item(self, path, service):
        alert = self.ids["alert"][1]
        below = f"/service/{service}/broadcast-message"
        body = {"created_by": self.approver, "edit_reason": "Say where"}
        self.post(f"{below}/{alert}/return-for-edit", body)
        last = "versions" if "/version/" in path else "edit-reasons"
        kind = "history" if "/version/" in path else "edit-reasons"
        items = self.ask(f"{below}-{kind}/{alert}/{last}")
        self.ids |= {"alert": [alert], "item": [item["id"] for item in items]}

    def ask(self, path):
        token = tokens.of_issuer("notify-admin", CLIENTS["notify-admin"])
        headers = {"Authorization": f"Bearer {token}"}
        answer = self.session.get(self.server.url + path, headers=headers, timeout=15)
        answer.raise_for_status()
        return answer.json()

    def last_link_token(self):
        """The last part of the last link that was sent to anybody."""
        links = re.findall(r"https://\S+/([^/\s\"\\]{20,})", str(self.server.mails()))
        return links[-1] if links else None
