"""Access keys, with which AWS's clients sign. They are listed beside the API keys."""

from django.conf import settings

from tenants.forms import AccessKeyForm
from tenants.models import AccessKey
from tenants.services.access_keys import make_access_key, revoke_access_key
from tenants.views.keys import CreateKey, KeyMade, RevokeKey


class Create(CreateKey):
    """Makes an access key."""

    kind, model, form = "access_key", AccessKey, AccessKeyForm
    make = staticmethod(make_access_key)


class Made(KeyMade):
    """Shows the access key that was made, this once."""

    kind, model = "access_key", AccessKey

    def more(self) -> dict[str, str]:
        return {"endpoint": f"{settings.PUBLIC_URL}/aws/"}


class Revoke(RevokeKey):
    """Asks, then ends an access key."""

    kind, model = "access_key", AccessKey
    revoke = staticmethod(revoke_access_key)
