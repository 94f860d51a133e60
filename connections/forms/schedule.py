"""How often to sync, in the same words wherever it is asked."""

from django import forms

OFF, CRON = "off", "cron"
AT_SET_TIMES = "At set times"
INTERVALS = {
    "15": "Every 15 minutes",
    "60": "Every hour",
    "360": "Every 6 hours",
    "1440": "Once a day",
}
SCHEDULES = (*INTERVALS.items(), (CRON, AT_SET_TIMES), (OFF, "Only when somebody starts it"))


class CronField(forms.CharField):
    """A cron expression. It is asked for beside `SCHEDULES`, and needed for one of them."""

    needed_for = AT_SET_TIMES

    def __init__(self) -> None:
        super().__init__(
            label="Cron expression",
            max_length=100,
            required=False,
            help_text="Minute, hour, day, month, weekday: "
            "“0 6 * * 1-5” is every working day at six.",
            widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
        )

    def tell_zone(self, timezone: str) -> None:
        """Say by whose clock it runs."""
        self.help_text = f"{self.help_text} By the clock of {timezone.replace('_', ' ')}."

    def clean(self, value: object) -> str:
        return " ".join(str(super().clean(value)).split())
