"""The notification service with huaweicloudsdksmn: access keys, plain and derived signatures; webhooks and mail."""

import base64
import re
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from conftest import log_in, running_weir
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdksmn.v2 import model as m
from smn_fixtures import Service, Webhook, service, webhook  # noqa: F401


@pytest.fixture(params=["plain", "derived"])
def client(service, request):
    return service.client(request.param)


@pytest.fixture
def topic(client):
    body = m.CreateTopicRequestBody(name=f"t-{uuid.uuid4().hex}", display_name="Late cars")
    urn = client.create_topic(m.CreateTopicRequest(body=body)).topic_urn
    yield urn
    client.delete_topic(m.DeleteTopicRequest(topic_urn=urn))


def subscribe(client, topic, protocol, endpoint, **more):
    body = m.AddSubscriptionRequestBody(protocol=protocol, endpoint=endpoint, **more)
    return client.add_subscription(m.AddSubscriptionRequest(topic_urn=topic, body=body)).subscription_urn


def publish(client, topic, **message):
    body = m.PublishMessageRequestBody(**message)
    return client.publish_message(m.PublishMessageRequest(topic_urn=topic, body=body)).message_id


def check_signature(message):
    """The procedure that subscribers are told to follow."""
    if message["type"] == "Notification":
        names = ["message", "message_id", "subject", "timestamp", "topic_urn", "type"]
    else:
        names = ["message", "message_id", "subscribe_url", "timestamp", "topic_urn", "type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if message[name])
    certificate = requests.get(message["signing_cert_url"], timeout=30).text
    key = RSA.import_key(certificate)
    pkcs1_15.new(key).verify(SHA256.new(text.encode()), base64.b64decode(message["signature"]))
    assert message["signature_version"] == "v1"


def test_a_webhook_is_asked_and_gets_signed_messages(client, topic, webhook):
    extension = m.SubscriptionExtension(header={"x-team": "cars"})
    urn = subscribe(client, topic, "http", webhook.url, remark="mine", extension=extension)
    headers, question = webhook.next()
    assert headers["x-smn-message-type"] == question["type"] == "SubscriptionConfirmation"
    check_signature(question)
    confirmed = requests.get(question["subscribe_url"], timeout=30)
    assert (confirmed.status_code, confirmed.json()["subscription_urn"]) == (200, urn)

    listed = client.list_subscriptions_by_topic(m.ListSubscriptionsByTopicRequest(topic_urn=topic))
    assert listed.subscription_count == 1
    one = listed.subscriptions[0]
    assert (one.endpoint, one.status, one.remark, one.topic_urn) == (webhook.url, 1, "mine", topic)

    for subject in ("Späte Züge", ""):
        message_id = publish(client, topic, subject=subject, message='{"train": "ü"}')
        headers, message = webhook.next()
        assert headers["x-smn-message-id"] == message["message_id"] == message_id
        assert headers["x-smn-topic-urn"] == message["topic_urn"] == topic
        assert headers["x-team"] == "cars"
        assert (message["subject"], message["message"]) == (subject, '{"train": "ü"}')
        check_signature(message)
    with pytest.raises(ValueError):
        check_signature({**message, "message": "another"})
    client.cancel_subscription(m.CancelSubscriptionRequest(subscription_urn=urn))
    listed = client.list_subscriptions(m.ListSubscriptionsRequest(endpoint=webhook.url))
    assert listed.subscription_count == 0


def test_a_mailbox_is_asked_and_gets_messages(service, client, topic):
    address = f"{uuid.uuid4().hex}@example.com"
    urn = subscribe(client, topic, "email", address)
    envelope, mail = service.mails.next()
    assert (envelope.mail_from, envelope.rcpt_tos) == ("weir@example.com", [address])
    link = re.search(r"subscribe_url: (\S+)", mail.get_content()).group(1)
    query = parse_qs(urlsplit(link).query)
    request = m.SubscribeTopicRequest(topic_urn=query["topic_urn"][0], token=query["token"][0], endpoint=address)
    assert client.subscribe_topic(request).subscription_urn == urn
    structure = '{"default": "for others", "email": "Zug \\u00fc kommt sp\\u00e4ter."}'
    publish(client, topic, subject="Verspätung", message_structure=structure)
    envelope, mail = service.mails.next()
    assert envelope.rcpt_tos == [address]
    assert (mail["subject"], mail["from"]) == ("Verspätung", "Late cars <weir@example.com>")
    assert mail.get_content().startswith("Zug ü kommt später.")
    assert "unsubscribe?subscription_urn=" in mail.get_content()
    client.unsubscribe_subscription(m.UnsubscribeSubscriptionRequest(subscription_urn=urn))
    _, farewell = service.mails.next()
    assert "left" in farewell.get_content()


def test_topics_and_templates(client, topic):
    name = topic.rsplit(":", 1)[1]
    again = m.CreateTopicRequest(body=m.CreateTopicRequestBody(name=name))
    assert client.create_topic(again).topic_urn == topic
    shown = client.list_topic_details(m.ListTopicDetailsRequest(topic_urn=topic))
    assert (shown.name, shown.display_name, shown.push_policy) == (name, "Late cars", 0)
    listed = client.list_topics(m.ListTopicsRequest(name=name))
    assert (listed.topic_count, listed.topics[0].topic_urn) == (1, topic)
    body = m.UpdateTopicRequestBody(display_name="On time")
    client.update_topic(m.UpdateTopicRequest(topic_urn=topic, body=body))
    assert client.list_topic_details(m.ListTopicDetailsRequest(topic_urn=topic)).display_name == "On time"
    body = m.CreateMessageTemplateRequestBody(message_template_name=name[:60], protocol="default", content="{car} is late")
    template = client.create_message_template(m.CreateMessageTemplateRequest(body=body)).message_template_id
    details = client.list_message_template_details(m.ListMessageTemplateDetailsRequest(message_template_id=template))
    assert (details.content, details.tag_names) == ("{car} is late", ["car"])
    assert publish(client, topic, message_template_name=name[:60], tags={"car": "A1"})
    client.delete_message_template(m.DeleteMessageTemplateRequest(message_template_id=template))
    with pytest.raises(ClientRequestException) as caught:
        client.list_topic_details(m.ListTopicDetailsRequest(topic_urn=topic + "x"))
    assert (caught.value.status_code, caught.value.error_code) == (404, "SMN.0006")
    assert caught.value.request_id


def confirmed_topic(service, name, webhook):
    client = service.client()
    topic = client.create_topic(m.CreateTopicRequest(body=m.CreateTopicRequestBody(name=name))).topic_urn
    subscribe(client, topic, "http", webhook.url)
    requests.get(webhook.next()[1]["subscribe_url"], timeout=30).raise_for_status()
    return topic


def test_a_message_survives_the_end_of_the_process(tmp_path):
    webhook = Webhook()
    options = ["--internal-webhooks", "true"]
    with running_weir(tmp_path, *options) as (endpoint, process):
        service = Service(endpoint, log_in(endpoint))
        topic = confirmed_topic(service, "alarms", webhook)
        webhook.close()
        message_id = publish(service.client(), topic, message="not lost")
        process.kill()
        process.wait()
    webhook = Webhook(webhook.server.server_port)
    with running_weir(tmp_path, *options):
        assert webhook.next()[1]["message_id"] == message_id
    webhook.close()


FAILING = """CREATE SOURCE STREAM s (a INT) WITH (type = "dis", region = "local", channel = "no-such-stream",
  encode = "csv", field_delimiter = ",");
CREATE SINK STREAM t (a INT) WITH (type = "blackhole");
INSERT INTO t SELECT a FROM s;"""


@pytest.mark.parametrize("credential", ["key", "token"])
def test_alarms_of_jobs_go_to_topics_elsewhere(service, webhook, tmp_path, credential):
    name = f"alarms-{uuid.uuid4().hex}"
    topic = confirmed_topic(service, name, webhook)
    there = service.access
    options = ["--smn-endpoint", service.endpoint, "--smn-project", there["WEIR_PROJECT_ID"]]
    if credential == "key":
        options += ["--smn-access-key", there["WEIR_AK"], "--smn-secret-key", there["WEIR_SK"]]
    else:
        options += ["--smn-token", there["WEIR_TOKEN"]]
    with running_weir(tmp_path, *options) as (endpoint, _process):
        here = Service(endpoint, log_in(endpoint))
        job = {"name": "j", "run_mode": "shared_cluster", "sql_body": FAILING, "smn_topic": "no-such-topic"}
        refused = here.call("POST", "/v1.0/{project}/sql_job", json=job).json()
        assert refused["error_id"] == "CS.11032"
        for job["name"], job["smn_topic"] in (("by-name", name), ("by-urn", topic)):
            created = here.call("POST", "/v1.0/{project}/sql_job", json=job).json()
            job_id = created["payload"]["job_id"]
            here.call("POST", f"/v1.0/{{project}}/job/{job_id}/run")
            _, message = webhook.next()
            assert message["subject"] == "Weir job alarm"
            assert f'"job_id":{job_id},' in message["message"]
            assert "no-such-stream" in message["message"]
            assert "job_submit_fail" in message["message"]
