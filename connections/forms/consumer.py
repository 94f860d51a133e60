"""The form of an OAuth consumer."""

from django import forms


class ConsumerForm(forms.Form):
    """What the page that made the consumer shows: its key and its secret."""

    client_id = forms.CharField(
        label="Key",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_secret = forms.CharField(
        label="Secret",
        max_length=4096,
        # What was typed is never put back into a page.
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
